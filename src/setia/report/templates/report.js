(() => {
  "use strict";
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const themes = ["auto", "light", "dark"];
  const kept = {
    read() { try { return localStorage.getItem("setia-theme"); } catch { return null; } },
    write(theme) { try { localStorage.setItem("setia-theme", theme); } catch { /* no storage: not kept */ } },
  };
  const show = (theme) => {
    root.dataset.theme = theme;
    button.querySelector("span").textContent = button.dataset[theme];
  };
  show(themes.includes(kept.read()) ? kept.read() : "auto");
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme) + 1) % themes.length];
    show(next);
    kept.write(next);
  });

  // A table that fits needs no stop for the Tab key; one that scrolls does.
  const fit = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const scrolls = target.scrollWidth > target.clientWidth;
      target.toggleAttribute("tabindex", scrolls);
      if (scrolls) target.tabIndex = 0;
      target.setAttribute("role", scrolls ? "region" : "group");
    }
  });
  document.querySelectorAll(".scroll").forEach((box) => fit.observe(box));

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((part) => { part.open = false; }));
})();
