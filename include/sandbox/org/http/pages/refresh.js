"use strict";
// Every part that only shows something is fetched anew; forms keep what was typed into them.
const box = document.getElementById("live");
if (box) {
  box.closest("label").hidden = false;
  box.checked = sessionStorage.getItem("live") !== "no";
  box.addEventListener("change", () => sessionStorage.setItem("live", box.checked ? "yes" : "no"));
  const refresh = async () => {
    if (!box.checked || document.hidden) return;
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
  };
  const again = async () => {
    const began = performance.now();
    try {
      await refresh();
    } catch {
      document.getElementById("now").textContent = "no answer from the org";
    }
    // A large org counts for a while: leave it nine tenths of its time.
    setTimeout(again, Math.max(4000, 9 * (performance.now() - began)));
  };
  setTimeout(again, 4000);
}
