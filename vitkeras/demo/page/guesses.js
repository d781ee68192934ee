// What a model takes a picture for: the likeliest in large letters, and a bar for each.
import { nameOf, page, percent, say } from "./words.js";

export class Guesses {
  constructor(root, note = "") {
    root.innerHTML = `<h2 class="answer" aria-live="polite"></h2><ul class="bars"></ul><p class="hint"></p><p class="hint"></p>`;
    [this.likeliest, this.bars] = [root.querySelector(".answer"), root.querySelector(".bars")];
    [this.about, this.note] = root.querySelectorAll(".hint");
    this.remark = note;
    this.answer = null;
    page.addEventListener("language", () => this.show(this.answer));
  }

  show(answer) {
    this.answer = answer;
    this.note.textContent = this.remark && say(this.remark);
    if (!answer) {
      this.likeliest.textContent = say("nothing");
      this.bars.replaceChildren();
      this.about.textContent = "";
      return;
    }
    const [first] = answer.guesses;
    this.likeliest.textContent = say("likeliest", nameOf(first.name), percent(first.probability));
    this.about.textContent = say("of-model", answer.model, answer.milliseconds);
    this.bars.replaceChildren(...inOrder(answer.guesses).map(bar));
  }
}

/** Digits stay in their places, so that one sees them move; other names come by probability. */
function inOrder(guesses) {
  return guesses.every(({ name }) => /^\d$/.test(name)) ? guesses.toSorted((one, other) => one.name - other.name) : guesses;
}

function bar({ name, probability }) {
  const item = document.createElement("li");
  const [what, meter, share] = ["span", "meter", "span"].map((kind) => document.createElement(kind));
  what.textContent = nameOf(name);
  meter.value = probability;
  meter.setAttribute("aria-label", nameOf(name));
  share.textContent = percent(probability);
  item.append(what, meter, share);
  return item;
}
