(() => {
  "use strict";
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const themes = ["auto", "light", "dark"];
  const kept = {
    read(name) { try { return localStorage.getItem(`setia-${name}`); } catch { return null; } },
    write(name, value) { try { localStorage.setItem(`setia-${name}`, value); } catch { /* no storage: not kept */ } },
  };
  const show = (theme) => {
    root.dataset.theme = theme;
    button.querySelector("span").textContent = button.dataset[theme];
  };
  show(themes.includes(kept.read("theme")) ? kept.read("theme") : "auto");
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme) + 1) % themes.length];
    show(next);
    kept.write("theme", next);
  });

  // Pages for the analyst are there without a script, and behind a switch with one.
  const analyst = document.getElementById("analyst");
  if (analyst) {
    const turn = (shown) => {
      root.dataset.analyst = shown ? "shown" : "hidden";
      analyst.setAttribute("aria-expanded", String(shown));
      analyst.querySelector("span").textContent = shown ? analyst.dataset.hide : analyst.dataset.show;
    };
    const linked = () => document.getElementById(location.hash.slice(1))?.closest(".analyst");
    turn(kept.read("analyst") === "shown" || Boolean(linked()));
    analyst.hidden = false;
    addEventListener("hashchange", () => { if (linked()) { turn(true); linked().scrollIntoView(); } });
    analyst.addEventListener("click", () => {
      const shown = root.dataset.analyst !== "shown";
      turn(shown);
      kept.write("analyst", shown ? "shown" : "hidden");
    });
  }

  // What if: the same sums as setia.metrics.what_if.
  document.querySelectorAll("form.calculator").forEach((form) => {
    const own = form.dataset;
    const locale = { en: "en-GB", id: "id-ID", ms: "ms-MY" }[own.language];
    const number = (value, digits) =>
      new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
    const money = (value) => {
      const text = own.sign + number(Math.abs(value), Number(own.digits));
      return Number(Math.abs(value).toFixed(Number(own.digits))) > 0 && value < 0 ? `-${text}` : text;
    };
    const between = (value, low, high) => Math.min(Math.max(value, low), high);
    const worth = (turned) => {
      const kept = between(1 - own.periodMonths / own.monthsKept, 0, 1) + turned.retention_points / 100;
      const months = turned.retention_points
        ? own.periodMonths / (1 - between(kept, 0, 0.99)) : Number(own.monthsKept);
      const perCustomer = own.orderValue * (1 + turned.value_percent / 100)
        * own.ordersPerMonth * (1 + turned.frequency_percent / 100)
        * between(Number(own.margin) + turned.margin_points / 100, 0, 1) * months;
      return { months, perCustomer, total: own.customers * perCustomer };
    };
    const today = worth({ retention_points: 0, value_percent: 0, frequency_percent: 0, margin_points: 0 });
    const compute = () => {
      const turned = {};
      form.querySelectorAll("input").forEach((input) => {
        const value = input.valueAsNumber;
        turned[input.name] = Number.isFinite(value) ? between(value, Number(input.min), Number(input.max)) : 0;
      });
      const now = worth(turned);
      form.elements.months_kept.value = number(now.months, 1);
      form.elements.per_customer.value = money(now.perCustomer);
      form.elements.total.value = money(now.total);
      form.elements.change.value = money(now.total - today.total);
    };
    form.addEventListener("input", compute);
    form.addEventListener("reset", () => setTimeout(compute));
    form.addEventListener("submit", (event) => event.preventDefault());
    compute();
    form.hidden = false;
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
