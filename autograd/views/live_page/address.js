// The place of a page in its address, such as #step=14&why=w5&round=100: a link leads there, and a reload keeps it.

const PAUSE = 200; // milliseconds without a change, since browsers refuse to have the address changed too often
const MOST_ROUNDS = 100_000; // that a link trains

/** Go to the place that the address names, now and when it changes; returns what lets the address name the place shown. */
export function followAddress(page) {
  const { parts } = page;
  let pause;
  const read = () => {
    if (!/^#(step|every|why|round)=/.test(location.hash)) return;
    const { graph, training } = page;
    const place = new URLSearchParams(location.hash.slice(1));
    const number = (key) => Math.max(0, place.get(key) | 0); // 0 of what is no number
    page.stop();
    const asked = graph.names.names.indexOf(place.get("why"));
    page.asked = graph.derivatives.roots.has(asked) ? asked : undefined;
    parts.unfold.checked = place.has("every");
    const round = parts.training.hidden ? 0 : Math.min(number("round"), MOST_ROUNDS);
    training.travel(Math.min(round, training.last));
    page.refresh();
    if (round > training.round) page.train(round - training.round);
    const arrive = () => {
      if (page.timer) setTimeout(arrive, PAUSE);
      else if (training.round === round) page.go(number("step"));
    };
    arrive();
  };
  const write = () => {
    clearTimeout(pause);
    pause = setTimeout(name, PAUSE);
  };
  const name = () => {
    const { position: step, asked, graph, training, timer, player } = page;
    if (timer || player) return write();
    const why = graph.names.names[asked];
    const every = parts.unfold.checked ? 1 : 0;
    const place = Object.entries({ step, every, why, round: training.round }).filter(([, value]) => value);
    try {
      history.replaceState(null, "", `#${new URLSearchParams(place)}`);
    } catch {
      // a frame without rights has no address of its own
    }
  };
  if (page.root !== document) return () => {};
  addEventListener("hashchange", read);
  read();
  return write;
}
