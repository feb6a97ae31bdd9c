// Follow Airflow's theme while shown in its frame, the browser's otherwise. Loaded before the page is painted.
"use strict";
(() => {
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function host() {
    if (window.parent === window) return null;
    try {
      return window.parent.document.documentElement;
    } catch {
      return null; // a frame of another origin: not Airflow's
    }
  }

  const airflow = host();

  function follow() {
    let dark = system.matches;
    if (airflow) {
      const { classList } = airflow;
      if (classList.contains("dark")) dark = true;
      else if (classList.contains("light")) dark = false;
    }
    root.dataset.theme = dark ? "dark" : "light";
    root.classList.toggle("framed", Boolean(airflow));
  }

  follow();
  system.addEventListener("change", follow);
  if (airflow) new MutationObserver(follow).observe(airflow, { attributes: true, attributeFilter: ["class"] });
})();
