// A page in a frame: the document around is told its height, and may say which theme it has.

if (parent !== window) {
  const { documentElement, body } = document;
  const isFixed = documentElement.dataset.theme;
  const tell = () => {
    if (document.getElementById("story")) return; // it scrolls within its frame
    parent.postMessage({ height: Math.ceil(body.getBoundingClientRect().height) }, "*");
  };
  new ResizeObserver(tell).observe(body);
  addEventListener("message", ({ source, data }) => {
    if (source === parent && !isFixed && ["light", "dark"].includes(data?.theme))
      documentElement.dataset.theme = data.theme;
  });
}
