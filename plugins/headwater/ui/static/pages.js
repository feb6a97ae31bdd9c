// What the pages do beyond links and forms: lists that submit themselves, a key to search, links out of Airflow's frame.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");

  // Airflow's frame may not open windows or replace the page around it; a link made in the page around it may.
  function leave(link, blank) {
    const around = window.parent.document;
    const copy = around.createElement("a");
    copy.href = link.href;
    if (blank) {
      copy.target = "_blank";
      copy.rel = "noopener noreferrer";
    }
    around.body.append(copy);
    copy.click();
    copy.remove();
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-out]");
    if (!link || event.defaultPrevented || !root.classList.contains("framed")) return;
    event.preventDefault();
    leave(link, link.target === "_blank" || event.ctrlKey || event.metaKey || event.shiftKey);
  });

  // The bar of tabs scrolls where it is too narrow for them: the page's own must be in sight.
  const tab = document.querySelector(".shell nav [aria-current]");
  if (tab) tab.parentElement.scrollLeft = Math.max(0, tab.offsetLeft - tab.parentElement.offsetLeft - 48);

  function busy() {
    root.classList.add("busy");
    document.getElementById("content").setAttribute("aria-busy", "true");
  }

  function idle() {
    root.classList.remove("busy");
    document.getElementById("content").removeAttribute("aria-busy");
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || link.dataset.out !== undefined || link.getAttribute("href").startsWith("#")) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    busy();
  });
  document.addEventListener("submit", busy);
  window.addEventListener("pageshow", idle);
  window.addEventListener("hashchange", idle);

  for (const select of document.querySelectorAll("select[data-submits]")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }

  for (const all of document.querySelectorAll("input[data-all]")) {
    const boxes = all.form.querySelectorAll(`input[name="${all.dataset.all}"]`);
    all.hidden = false;
    all.addEventListener("change", () => {
      for (const each of boxes) each.checked = all.checked;
    });
    // It says what is ticked: all, some or none; also of what a browser ticked again on the way back.
    const tell = () => {
      const ticked = [...boxes].filter((each) => each.checked).length;
      all.checked = ticked > 0 && ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    };
    for (const each of boxes) each.addEventListener("change", tell);
    window.addEventListener("pageshow", tell);
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea")) return;
    const search = document.querySelector("[data-search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  });
})();
