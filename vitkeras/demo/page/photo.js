// A photo: chosen, dropped or pasted, and shown to the model that is chosen.
import { ask, tell, toText } from "./ask.js";
import { Guesses } from "./guesses.js";
import { Looker } from "./looker.js";
import { page, say } from "./words.js";

const MOST = 25_000_000; // bytes

export function photo(section) {
  const [file, preset, drop, chosen, about] = ["#file", "#preset", "#drop", "#chosen", "#about-model"].map((what) => section.querySelector(what));
  const guesses = new Guesses(section.querySelector(".guesses"));
  const looker = new Looker(section.querySelector(".looker"));
  let present = null; // the file that is shown

  async function asked() {
    const file = present;
    if (!file) return;
    show(null);
    if (file.size > MOST) return tell(say("too-large", file.name, Math.round(file.size / 1e6)));
    section.setAttribute("aria-busy", "true");
    const content = await file.arrayBuffer().catch(() => null); // a folder, or a file that has gone
    if (file !== present) return;
    const told = content && { content: toText(new Uint8Array(content)), name: file.name, preset: preset.value };
    const answer = told ? await ask("photo", told) : null;
    if (answer === undefined || file !== present) return;
    if (!told) tell(say("no-file"));
    section.removeAttribute("aria-busy");
    show(answer);
  }

  function show(answer) {
    guesses.show(answer);
    looker.show(answer);
  }

  function take(files) {
    const [first] = files;
    if (!first) return tell(say("no-file"));
    present = first;
    URL.revokeObjectURL(chosen.src);
    chosen.src = URL.createObjectURL(first);
    asked();
  }

  chosen.addEventListener("load", () => shown(true));
  chosen.addEventListener("error", () => shown(false)); // the program says what is wrong with it
  function shown(whether) {
    chosen.hidden = !whether;
    chosen.alt = whether ? present.name : "";
    drop.querySelector("p").hidden = whether;
  }

  file.addEventListener("change", () => {
    take(file.files);
    file.value = ""; // the same file may be chosen again
  });
  preset.addEventListener("change", () => {
    sayAbout();
    asked();
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault(); // else the browser would show the photo instead of the page
      if (section.hidden) return;
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop") take(event.dataTransfer.files);
    });
  }
  document.addEventListener("paste", (event) => section.hidden || take(event.clipboardData.files));

  function sayAbout() {
    const key = `about-${preset.value}`;
    about.textContent = say(key);
  }
  page.addEventListener("language", sayAbout);

  show(null);
  fetch("/presets")
    .then((reply) => reply.json())
    .then(({ presets }) => {
      preset.replaceChildren(...presets.map((name) => new Option(name)));
      sayAbout();
    });
}
