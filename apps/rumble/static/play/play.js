// Parts of a page that change by themselves: asked for again while somebody looks. Without scripts, loading the page
// again does the same.
"use strict";

for (const part of document.querySelectorAll("[data-refresh]")) {
  const every = Number(part.dataset.every) || 2000;
  // What the server last sent: the browser spells its own markup differently, and tokens of forms differ each time.
  const plain = (text) => text.replace(/name="csrfmiddlewaretoken" value="[^"]*"/g, "");
  let known = null;

  async function look() {
    if (document.visibilityState === "visible") {
      try {
        const answer = await fetch(part.dataset.refresh, { headers: { Accept: "text/html" } });
        if (answer.status === 401) {
          location.reload();
          return;
        }
        const text = answer.ok ? await answer.text() : null;
        // A person who is about to press a button must not lose it.
        if (text !== null && (known === null || plain(text) !== known) && !part.contains(document.activeElement)) {
          if (known !== null || plain(text).trim() !== plain(part.innerHTML).trim()) part.innerHTML = text;
          known = plain(text);
        }
      } catch {
        // The network is away for a moment.
      }
    }
    setTimeout(look, every);
  }

  if (!("over" in part.dataset)) setTimeout(look, every);
}
