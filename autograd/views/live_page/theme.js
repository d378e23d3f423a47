// The theme of the document around a page.

const LIGHT = 128; // of 255: text that is lighter stands on a dark ground

/** "dark" where the text around an element is light, whatever the notebook calls its themes; else "light". */
export function themeAround(element) {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = getComputedStyle(element).color;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return 0.3 * red + 0.59 * green + 0.11 * blue > LIGHT ? "dark" : "light";
}

/** Call a function when the theme of the document may have changed; returns what ends that. */
export function whenThemeChanges(action) {
  const observer = new MutationObserver(action);
  for (const element of [document.documentElement, document.body]) observer.observe(element, { attributes: true });
  return () => observer.disconnect();
}
