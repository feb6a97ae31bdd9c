"use strict";
// Every part that only shows something is fetched anew; forms keep what was typed into them.
const box = document.getElementById("live");
if (box) {
  box.closest("label").hidden = false;
  box.checked = sessionStorage.getItem("live") !== "no";
  box.addEventListener("change", () => sessionStorage.setItem("live", box.checked ? "yes" : "no"));
  setInterval(async () => {
    if (!box.checked || document.hidden) return;
    try {
      const address = new URL(location.href);
      address.searchParams.delete("done");
      address.searchParams.delete("refused");
      const answer = await fetch(address);
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-live]")) {
        const other = fresh.getElementById(part.id);
        if (other && !part.contains(document.activeElement)) part.replaceChildren(...other.childNodes);
      }
    } catch {
      document.getElementById("now").textContent = "no answer from the org";
    }
  }, 4000);
}
