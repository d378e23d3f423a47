"""The objectives of ADBench, and made-up data in its format.

They are those of F. Šrajer, Z. Kukelova and A. Fitzgibbon, "A benchmark of selected algorithmic differentiation tools
on some problems in computer vision and machine learning" (2018), and its long short-term memory. Each is written in
scalars, for whichever library has the functions: this package and CasADi. For libraries of arrays the mixture and the
hand are written in arrays too, as one would write them there; the other two read the same in both.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy

from tests.benchmarks.programs import loops
from tests.benchmarks.programs.loops import Library

Array = numpy.ndarray[Any, Any]

# Gaussian mixtures: the logarithm of a likelihood with a prior, by weights, means and inverse Cholesky factors.


class Mixture(NamedTuple):
    """Parameters and points.

    Attributes:
        weights: a number for each component, of which the softmax is its share.
        means: a point for each component.
        factors: for each component a lower triangular matrix Q, of which Qᵀ Q is the inverse of the covariance: the
            logarithms of the diagonal, then the columns below it.
        points: one in each row.
    """

    weights: Array
    means: Array
    factors: Array
    points: Array


class Wishart(NamedTuple):
    """The prior of the factors: its precision, and its degrees of freedom above those of a matrix."""

    gamma: float = 1.0
    m: int = 0


PRIOR = Wishart()


def mixture(count: int, dimensions: int = 10, components: int = 5) -> Mixture:
    """Some points, and the parameters of a mixture."""
    rng = numpy.random.default_rng(1)
    weights, means = rng.normal(size=components), rng.uniform(size=(components, dimensions))
    factors = rng.normal(size=(components, dimensions * (dimensions + 1) // 2))
    return Mixture(weights, means, factors, rng.normal(size=(count, dimensions)))


def scaled(library: Library, factor: Any, vector: Any) -> Any:
    """Q times a vector."""
    below = iter(factor[len(vector) :])
    product = [library.array.exp(q) * x for q, x in zip(factor, vector, strict=False)]
    for column, x in enumerate(vector):
        for row in range(column + 1, len(vector)):
            product[row] = product[row] + next(below) * x
    return product


def point_likelihood(library: Library) -> Callable[..., Any]:
    """The logarithm of Σ exp(weight + log |Q| − ½ ‖Q (x − mean)‖²), for one point x."""

    def likelihood(weights: Any, means: Any, factors: Any, x: Any) -> Any:
        terms = []
        for weight, mean, factor in zip(weights, means, factors, strict=True):
            distances = scaled(library, factor, x - mean)
            logarithm = library.sum(factor[: len(x)])
            terms.append(weight + logarithm - 0.5 * library.sum([distance * distance for distance in distances]))
        return loops.log_sum_exp(library)(numpy.array(terms))

    return likelihood


def prior(library: Library, wishart: Wishart = PRIOR) -> Callable[..., Any]:
    """What does not depend on the points, of which there are so many: shares that add up to 1, and Wishart's prior."""

    def logarithm(weights: Any, means: Any, factors: Any, count: int) -> Any:
        size = means.shape[1]
        total = mixture_constant(count, size, len(factors), wishart) - count * loops.log_sum_exp(library)(weights)
        for factor in factors:
            diagonal, below = factor[:size], factor[size:]
            squares = [library.array.exp(q) ** 2 for q in diagonal] + [x * x for x in below]
            total = total + wishart.m * library.sum(diagonal) - 0.5 * wishart.gamma**2 * library.sum(squares)
        return total

    return logarithm


def mixture_constant(count: int, size: int, components: int, wishart: Wishart) -> float:
    """What does not depend on the parameters: the factors of the densities of Gauss and of Wishart."""
    freedom = size + wishart.m + 1
    prior = freedom * size * (math.log(wishart.gamma) - 0.5 * math.log(2.0)) - log_gamma(0.5 * freedom, size)
    return components * prior - 0.5 * count * size * math.log(2.0 * math.pi)


def log_gamma(x: float, size: int) -> float:
    """The logarithm of the gamma function of matrices of this size."""
    parts = (math.lgamma(x - 0.5 * place) for place in range(size))
    return 0.25 * size * (size - 1) * math.log(math.pi) + sum(parts)


def mixture_likelihood(library: Library, wishart: Wishart = PRIOR) -> Callable[..., Any]:
    """The whole objective, with the points by `map`."""
    likelihood, rest = point_likelihood(library), prior(library, wishart)

    def logarithm(weights: Any, means: Any, factors: Any, points: Any) -> Any:
        each = library.map(lambda x: likelihood(weights, means, factors, x), points)
        return library.sum(each) + rest(weights, means, factors, len(points))

    return logarithm


def mixture_likelihood_arrays(library: Library, wishart: Wishart = PRIOR) -> Callable[..., Any]:
    """The same on arrays: all points and components at once."""
    array = library.array

    def log_sum_exp(x: Any) -> Any:
        largest = library.stop_gradient(library.max(x, -1))
        return largest + array.log(array.exp(x - largest[..., None]).sum(-1))

    def logarithm(weights: Any, means: Any, factors: Any, points: Any) -> Any:
        (count, size), logarithms = points.shape, factors[:, : points.shape[1]]
        zero = 0.0 * factors[:, :1]
        entries = array.concatenate([array.exp(logarithms), factors[:, size:], zero], 1)
        matrices = entries[:, triangle(size)]
        distances = array.einsum("kij,nkj->nki", matrices, points[:, None] - means)
        terms = weights + logarithms.sum(-1) - 0.5 * (distances**2).sum(-1)
        constant = mixture_constant(count, size, len(weights), wishart)
        prior = wishart.m * logarithms.sum() - 0.5 * wishart.gamma**2 * (entries**2).sum()
        return log_sum_exp(terms).sum() - count * log_sum_exp(weights) + prior + constant

    return logarithm


@functools.cache
def triangle(size: int) -> Array:
    """Where each entry of a lower triangular matrix stands: the diagonal, columns below it, and a zero for the rest."""
    places = numpy.full((size, size), size * (size + 1) // 2)
    numpy.fill_diagonal(places, range(size))
    columns, rows = numpy.triu_indices(size, 1)
    places[rows, columns] = numpy.arange(size, size * (size + 1) // 2)
    return places


# Bundle adjustment: how far points are from where cameras saw them.


class Bundle(NamedTuple):
    """Cameras, points and observations.

    Attributes:
        cameras: 11 numbers each: a rotation as an axis times an angle, a centre, a focal length, a principal point and
            two coefficients of radial distortion.
        points: in space.
        weights: of the observations.
        pairs: the camera and the point of each observation.
        features: where the point was seen.
    """

    cameras: Array
    points: Array
    weights: Array
    pairs: Array
    features: Array

    def numbers(self) -> Array:
        """The 15 numbers that the errors of each observation depend on."""
        numbers = numpy.empty((len(self.pairs), 15))
        numbers[:, :11] = self.cameras.take(self.pairs[:, 0], axis=0)
        numbers[:, 11:14] = self.points.take(self.pairs[:, 1], axis=0)
        numbers[:, 14] = self.weights
        return numbers

    def entries(self) -> Array:
        """Room for the entries of the Jacobian, row by row: two rows an observation, then one for each weight."""
        return numpy.zeros(31 * len(self.pairs))


def bundle(observations: int) -> Bundle:
    """Cameras that look at points about five units in front of them, in the ratio of ADBench's smallest problem."""
    rng = numpy.random.default_rng(1)
    cameras = rng.uniform(-1.0, 1.0, (max(1, observations // 650), 11))
    cameras[:, :3] *= 0.3
    cameras[:, 9:] *= 0.1
    points = rng.uniform(-1.0, 1.0, (max(1, observations // 4), 3))
    points[:, 2] += 5.0
    pairs = numpy.arange(observations)[:, None] % [len(cameras), len(points)]
    features = rng.uniform(-1.0, 1.0, (observations, 2))
    return Bundle(cameras, points, rng.uniform(-1.0, 1.0, observations), pairs, features)


def reprojection_error(library: Library) -> Callable[[Any, Any], Any]:
    """How far a point is from where a camera saw it, by the formulas of bundle.c."""
    cos, sin, sqrt, where = library.array.cos, library.array.sin, library.array.sqrt, library.where

    def error(observation: Any, feature: Any) -> Any:
        a, b, c, *centre, focal, first_principal, second_principal, first, second, x, y, z, weight = observation
        x, y, z = (coordinate - middle for coordinate, middle in zip((x, y, z), centre, strict=True))
        square, along = a * a + b * b + c * c, a * x + b * y + c * z
        rotates = library.greater(square, 0.0)
        safe = where(rotates, square, 1.0)
        angle = sqrt(safe)
        turn = cos(angle)
        cosine = where(rotates, turn, 1.0)
        sine = where(rotates, sin(angle) / angle, 1.0)
        rest = where(rotates, (1.0 - turn) / safe, 0.5) * along
        cross = (b * z - c * y, c * x - a * z, a * y - b * x)
        x, y, z = (cosine * p + sine * q + rest * r for p, q, r in zip((x, y, z), cross, (a, b, c), strict=True))
        inverse = 1.0 / z
        x, y = x * inverse, y * inverse
        radius = x * x + y * y
        scale = focal * (1.0 + first * radius + second * radius * radius)
        errors = scale * x + first_principal - feature[0], scale * y + second_principal - feature[1]
        return library.array.stack([weight * error for error in errors])

    return error


def weight_error(weight: Any) -> Any:
    """What keeps a weight near 1."""
    return 1.0 - weight * weight


# Long short-term memory: a model of characters, whose weights are diagonal matrices.


class Text(NamedTuple):
    """A model and a text.

    Attributes:
        main: two rows for each layer, weights and biases of four gates: forget, enter, leave and change.
        extra: weights of what goes in, and weights and biases of what comes out.
        state: two rows for each layer, hidden and cell.
        characters: a row of bits for each.
    """

    main: Array
    extra: Array
    state: Array
    characters: Array


def text(count: int, layers: int = 2, bits: int = 14) -> Text:
    """An untrained model, and a text of so many characters."""
    rng = numpy.random.default_rng(1)
    main, extra, state = (rng.uniform(size=shape) for shape in ((2 * layers, 4 * bits), (3, bits), (2 * layers, bits)))
    return Text(main, extra, state, rng.integers(0, 2, (count, bits)).astype(float))


def text_loss(library: Library) -> Callable[..., Any]:
    """The loss of predicting each character from those before."""
    exp, log, tanh, sigmoid = library.array.exp, library.array.log, library.array.tanh, library.sigmoid

    def layer(weights: Any, biases: Any, hidden: Any, cell: Any, x: Any) -> Any:
        forget, enter, leave, change = zip(weights.reshape(4, len(x)), biases.reshape(4, len(x)), strict=True)
        kept, taken = sigmoid(x * forget[0] + forget[1]), sigmoid(hidden * enter[0] + enter[1])
        cell = cell * kept + taken * tanh(hidden * change[0] + change[1])
        return sigmoid(x * leave[0] + leave[1]) * tanh(cell), cell

    def loss(main: Any, extra: Any, state: Any, characters: Any) -> Any:
        def step(state: Any, pair: Any) -> Any:
            character, target = pair
            x, states = character * extra[0], []
            for weights, biases, hidden, cell in zip(main[::2], main[1::2], state[::2], state[1::2], strict=True):
                x, cell = layer(weights, biases, hidden, cell, x)
                states += [x, cell]
            guess = x * extra[1] + extra[2]
            return tuple(states), (target * (guess - log(exp(guess).sum() + 2.0))).sum()

        logarithms = library.scan(step, tuple(state), (characters[:-1], characters[1:]))[1]
        return -logarithms.sum() / ((len(characters) - 1) * characters.shape[1])

    return loss


# Hand tracking: how far points are from the skin of a hand, which its bones move.

FINGERS, PARTS = 5, 4  # after the wrist; behind them is the forearm
BONES = 2 + FINGERS * PARTS
ANGLES = 26  # a rotation and a translation of the hand, and four angles of each finger


class Hand(NamedTuple):
    """A model of a hand, and points that it is fitted to.

    Attributes:
        parents: of each bone, -1 for none.
        relatives: how each bone stands in its parent: three rows of a rotation and a translation.
        inverses: from the hand at rest to each bone, likewise.
        vertices: of the skin, at rest.
        weights: how much each vertex follows each bone.
        corners: the three vertices of the triangle that each point is on; or the one vertex that it is.
        points: what was measured.
        angles: of the joints.
        places: two coordinates of each point on its triangle, if it is on one.
        is_mirrored: whether it is the other hand.
    """

    parents: list[int]
    relatives: Array
    inverses: Array
    vertices: Array
    weights: Array
    corners: Array
    points: Array
    angles: Array
    places: Array
    is_mirrored: bool = False

    def at_rest(self) -> Array:
        """Each vertex in the frame of each bone."""
        moved: Array = numpy.einsum("bij,vj->bvi", self.inverses[:, :, :3], self.vertices)
        return moved + self.inverses[:, None, :, 3]


def moved_joints() -> dict[int, tuple[int, ...]]:
    """The bones that have angles, and which: the second part of a finger has two, and the next two have one each."""
    joints: dict[int, tuple[int, ...]] = {}
    for finger in range(FINGERS):
        bone, angle = 1 + PARTS * finger, 6 + PARTS * finger
        joints |= {bone + 1: (angle, angle + 1), bone + 2: (angle + 2,), bone + 3: (angle + 3,)}
    return joints


JOINTS = moved_joints()


def hand(count: int, vertices: int = 544) -> Hand:
    """A hand of this many vertices, each of which follows a bone and its parent, and so many points."""
    rng = numpy.random.default_rng(1)
    parents = [
        -1,
        *(0 if part == 0 else PARTS * finger + part for finger in range(FINGERS) for part in range(PARTS)),
        0,
    ]
    relatives, inverses = numpy.zeros((2, BONES, 3, 4))
    absolutes = numpy.zeros((BONES, 4, 4)) + numpy.eye(4)
    for bone, parent in enumerate(parents):
        relatives[bone, :, :3] = turned(numpy, rng.normal(size=3))
        relatives[bone, :, 3] = rng.uniform(0.5, 1.0, 3)
        absolutes[bone, :3] = relatives[bone]
        absolutes[bone] = absolutes[parent] @ absolutes[bone] if parent >= 0 else absolutes[bone]
        inverses[bone] = numpy.linalg.inv(absolutes[bone])[:3]
    bones = rng.integers(1, BONES, vertices)
    skin = absolutes[bones, :3, 3] + 0.2 * rng.normal(size=(vertices, 3))
    weights, shares = numpy.zeros((vertices, BONES)), rng.uniform(0.5, 1.0, vertices)
    weights[range(vertices), bones], weights[range(vertices), numpy.array(parents)[bones]] = shares, 1.0 - shares
    corners, order = rng.integers(0, vertices, count), numpy.argsort(bones, kind="stable")
    triangles = order[(corners[:, None] + [0, 1, 2]) % vertices]  # of vertices of one bone, most of them
    points, angles = rng.normal(size=(count, 3)), 0.3 * rng.normal(size=ANGLES)
    return Hand(parents, relatives, inverses, skin, weights, triangles, points, angles, rng.uniform(0, 0.5, (count, 2)))


def turned(array: Any, vector: Any) -> list[list[Any]]:
    """The matrix that turns around a vector, by an angle that is its length."""
    a, b, c = vector
    norm = array.sqrt(a * a + b * b + c * c)
    x, y, z = a / norm, b / norm, c / norm
    sine, cosine = array.sin(norm), array.cos(norm)
    rest = 1.0 - cosine
    return [
        [x * x + (1.0 - x * x) * cosine, x * y * rest - z * sine, x * z * rest + y * sine],
        [x * y * rest + z * sine, y * y + (1.0 - y * y) * cosine, y * z * rest - x * sine],
        [x * z * rest - y * sine, y * z * rest + x * sine, z * z + (1.0 - z * z) * cosine],
    ]


def bent(array: Any, first: Any, second: Any = None) -> list[list[Any]]:
    """The matrix of a joint: it turns around the first axis, then around the third."""
    c, s = array.cos(first), array.sin(first)
    if second is None:
        return [[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]]
    d, t = array.cos(second), array.sin(second)
    return [[d, -t * c, t * s], [t, d * c, -d * s], [0.0, s, c]]


def hand_errors(library: Library, model: Hand) -> Callable[[Any, Any], Any]:
    """The distances of points from places on the skin; a vertex moves with its bones, each by its share."""
    array, at_rest = library.array, model.at_rest()

    def errors(angles: Any, places: Any = None) -> Any:
        frames: list[tuple[Any, Any]] = []
        for bone, parent in enumerate(model.parents):
            rotation, origin = model.relatives[bone, :, :3], model.relatives[bone, :, 3]
            if bone in JOINTS:
                rotation = rotation @ numpy.array(bent(array, *(angles[place] for place in JOINTS[bone])))
            if parent >= 0:
                rotation, origin = frames[parent][0] @ rotation, frames[parent][0] @ origin + frames[parent][1]
            frames.append((rotation, origin))

        @functools.cache
        def skin(vertex: int) -> Any:
            position = numpy.zeros(3)
            for bone in numpy.flatnonzero(model.weights[vertex]):
                rotation, origin = frames[bone]
                position = position + model.weights[vertex, bone] * (rotation @ at_rest[bone, vertex] + origin)
            return position * numpy.array([-1.0, 1.0, 1.0]) if model.is_mirrored else position

        def on_triangle(corners: Any, place: Any) -> Any:
            first, second, third = map(skin, corners)
            return place[0] * first + place[1] * second + (1.0 - place[0] - place[1]) * third

        if places is None:
            reached = [skin(vertex) for (vertex,) in model.corners.tolist()]
        else:
            reached = list(map(on_triangle, model.corners.tolist(), places))
        rotation, translation = numpy.array(turned(array, angles[:3])), angles[3:6]
        return [point - (rotation @ place + translation) for point, place in zip(model.points, reached, strict=True)]

    return errors


def compressed(jacobian: Array) -> Array:
    """The slopes of each error by the two coordinates of its own point, then by the angles."""
    count = len(jacobian) // 3
    places = jacobian[:, ANGLES:].reshape(count, 3, count, 2)[range(count), :, range(count)]
    return numpy.concatenate([places.reshape(3 * count, 2), jacobian[:, :ANGLES]], axis=1)


def hand_directions(count: int) -> tuple[Array, Array]:
    """In which angles and places change for each column of that: a coordinate of all places at once, or an angle."""
    angles, places = numpy.zeros((2 + ANGLES, ANGLES)), numpy.zeros((2 + ANGLES, count, 2))
    angles[2:], places[0, :, 0], places[1, :, 1] = numpy.eye(ANGLES), 1.0, 1.0
    return angles, places


def hand_errors_arrays(library: Library, model: Hand) -> Callable[[Any, Any], Any]:
    """The same on arrays: all vertices at once."""
    array = library.array
    vertices, corners = numpy.unique(model.corners, return_inverse=True)
    constants = model.relatives, model.at_rest()[:, vertices], model.weights[vertices].T, model.points
    relatives, at_rest, weights, points = map(library.constant, constants)
    mirror = library.constant(numpy.array([-1.0 if model.is_mirrored else 1.0, 1.0, 1.0]))

    def matrix(rows: Any, like: Any) -> Any:
        return array.stack([array.stack([entry + 0.0 * like for entry in row]) for row in rows])

    def errors(angles: Any, places: Any) -> Any:
        rotations: list[Any] = []
        origins: list[Any] = []
        for bone, parent in enumerate(model.parents):
            rotation, origin = relatives[bone, :, :3], relatives[bone, :, 3]
            if bone in JOINTS:
                rotation = rotation @ matrix(bent(array, *(angles[place] for place in JOINTS[bone])), angles[0])
            if parent >= 0:
                rotation, origin = rotations[parent] @ rotation, rotations[parent] @ origin + origins[parent]
            rotations.append(rotation)
            origins.append(origin)
        moved = array.einsum("bij,bvj->bvi", array.stack(rotations), at_rest) + array.stack(origins)[:, None]
        skin = (weights[:, :, None] * moved).sum(0) * mirror
        first, second, third = (skin[corners[:, place]] for place in range(3))
        u, v = places[:, :1], places[:, 1:]
        reached = u * first + v * second + (1.0 - u - v) * third
        return points - (reached @ matrix(turned(array, angles[:3]), angles[0]).T + angles[3:6])

    return errors
