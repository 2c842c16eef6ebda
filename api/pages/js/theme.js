// Before the first paint: light or dark, as the person chose in this browser, else as the system says.
(() => {
  const chosen = localStorage.getItem("tierwatch.theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = () => { document.documentElement.dataset.theme = chosen ?? (dark.matches ? "dark" : "light"); };
  show();
  if (!chosen) dark.addEventListener("change", show);
})();
