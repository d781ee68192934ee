// The page: its tabs, its language.
import { tell } from "./ask.js";
import { digit } from "./digit.js";
import { pair } from "./pair.js";
import { photo } from "./photo.js";
import { otherLanguage, page, say, sayAll } from "./words.js";

const tabs = [...document.querySelectorAll("[role=tab]")];
const panel = (tab) => document.getElementById(tab.getAttribute("aria-controls"));

function open(chosen) {
  tell("");
  for (const tab of tabs) {
    tab.setAttribute("aria-selected", tab === chosen);
    tab.tabIndex = tab === chosen ? 0 : -1;
    panel(tab).hidden = tab !== chosen;
  }
}

for (const [number, tab] of tabs.entries()) {
  tab.addEventListener("click", () => open(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const next = tabs[(number + step + tabs.length) % tabs.length];
    open(next);
    next.focus();
  });
}

const language = document.getElementById("language");
language.addEventListener("click", otherLanguage);
page.addEventListener("language", () => {
  language.textContent = say("other");
  language.lang = say("other-code");
});

digit(document.getElementById("digit"));
photo(document.getElementById("photo"));
pair(document.getElementById("pair"));
sayAll();
