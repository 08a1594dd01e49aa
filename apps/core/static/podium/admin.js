/* Podium's own behaviour in the admin: bars that move, forms that go once, the reader's own time on hover. */
"use strict";

(() => {
  const POLL_EVERY = 1000;
  const POLL_AFTER_TROUBLE = 5000;

  /* A bar asks how far its job is until it has ended; then the page is loaded again, because its state has changed. */
  function watch(bar) {
    const fill = bar.querySelector(".pd-progress-bar span");
    const track = bar.querySelector(".pd-progress-bar");
    const text = bar.querySelector(".pd-progress-text");
    async function ask() {
      let wait = POLL_EVERY;
      try {
        const answer = await fetch(bar.dataset.poll, { headers: { Accept: "application/json" }, credentials: "same-origin" });
        if (answer.redirected || !answer.ok) throw new Error(String(answer.status));
        const job = await answer.json();
        fill.style.width = job.percent + "%";
        track.setAttribute("aria-valuenow", job.percent);
        text.textContent = job.text;
        if (job.ended) {
          bar.classList.add(job.failed ? "pd-failed" : "pd-ended");
          bar.removeAttribute("data-poll");
          if (!document.querySelector("[data-poll]")) setTimeout(reload, POLL_EVERY);
          return;
        }
      } catch {
        wait = POLL_AFTER_TROUBLE;
      }
      setTimeout(ask, document.hidden ? POLL_AFTER_TROUBLE : wait);
    }
    ask();
  }

  /* Never takes away what somebody is typing. */
  function reload() {
    const typing = ["INPUT", "TEXTAREA", "SELECT"].includes(document.activeElement?.tagName);
    if (!typing && !document.querySelector("input.action-select:checked")) location.reload();
  }

  function sendOnce(form) {
    form.addEventListener("submit", () => {
      setTimeout(() => form.querySelectorAll("button[type=submit]").forEach((button) => { button.disabled = true; }));
    });
  }

  function ownTime(element) {
    const moment = new Date(element.dateTime);
    if (!Number.isNaN(moment.getTime())) element.title = moment.toLocaleString() + " (your time)";
  }

  /* Times are typed as UTC; beside each stands the same moment in the reader's own zone, and either may be typed. */
  function bothTimes(utc) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "your time";
    const pad = (number) => String(number).padStart(2, "0");
    const text = (at) => `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}`;
    const own = utc.cloneNode(false);
    own.removeAttribute("name");
    own.id = utc.id + "_own";
    own.required = false;
    const label = (words, input) => {
      const line = document.createElement("label");
      line.className = "pd-zone";
      line.htmlFor = input.id;
      const name = document.createElement("span");
      name.textContent = words.replaceAll("/", "/\u200b").replaceAll("_", " ");
      line.append(name, input);
      return line;
    };
    const pair = document.createElement("div");
    pair.className = "pd-both-times";
    utc.before(pair);
    pair.append(label("UTC", utc), label(zone, own));
    const fromUtc = () => {
      const at = new Date(utc.value + "Z");
      own.value = utc.value && !Number.isNaN(at.getTime()) ? text(at) : "";
    };
    const fromOwn = () => {
      const at = new Date(own.value);
      utc.value = own.value && !Number.isNaN(at.getTime()) ? at.toISOString().slice(0, 16) : "";
    };
    utc.addEventListener("input", fromUtc);
    own.addEventListener("input", fromOwn);
    fromUtc();
  }

  /* A field that only matters for one choice of another: data-when="method=CONSECUTIVE_ROUNDS". */
  function onlyWhen(field) {
    const [name, value] = field.dataset.when.split("=");
    const other = field.form?.elements[name];
    const place = field.closest(".pd-field");
    if (!other || !place) return;
    const show = () => { place.hidden = other.value !== value; };
    other.addEventListener("change", show);
    show();
  }

  function copier(button) {
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = "Copied";
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-poll]").forEach(watch);
    document.querySelectorAll("form[data-once]").forEach(sendOnce);
    document.querySelectorAll("time.pd-moment").forEach(ownTime);
    document.querySelectorAll("[data-copy]").forEach(copier);
    document.querySelectorAll("input[data-both-times]").forEach(bothTimes);
    document.querySelectorAll("[data-when]").forEach(onlyWhen);
  });

  /* Back from the history: buttons that were switched off when the form went may be pressed again. */
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form[data-once] button").forEach((button) => { button.disabled = false; });
  });
})();
