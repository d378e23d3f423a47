// Beside the frame of a page: the frame gets the height of its page, and the page the theme of the document.

import { themeAround, whenThemeChanges } from "./theme.js";

(() => {
  const frame = document.currentScript.previousElementSibling;
  const tell = () => frame.contentWindow?.postMessage({ theme: themeAround(frame.parentElement) }, "*");
  addEventListener("message", ({ source, data }) => {
    if (source !== frame.contentWindow || !(data?.height > 0)) return;
    frame.style.height = `${data.height}px`;
    tell();
  });
  whenThemeChanges(tell);
})();
