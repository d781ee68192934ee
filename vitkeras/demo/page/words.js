// What the page says, in two languages. In the page, data-says and data-names name what an element says or is called.
const WORDS = {
  en: {
    title: "What does a Vision Transformer look at?", other: "Português", "other-code": "pt", tabs: "What is shown to the models",
    digit: "A digit", photo: "A photo", pair: "Same or different",
    draw: "Draw a digit", pad: "A page to draw on: with the mouse, a finger or the keyboard",
    "pad-hint": "By keyboard: arrows move the pen, the space bar puts it down and lifts it.",
    undo: "Undo the last stroke", clear: "Clear",
    choose: "Choose a photo", drop: "Drop a photo here, or paste one", file: "Choose a file", "by-model": "Model:",
    place: "Place two shapes", stage: "Two shapes, to be moved", "stage-hint": "Drag a shape. By keyboard: 1 and 2 choose one, arrows move it.",
    contrast: "Contrast", noise: "Noise", shuffle: "Two others, at random", shape: "Shape {0}", kind: "Kind", size: "Size", turn: "Turn",
    circle: "circle", triangle: "triangle", square: "square", cross: "cross (new to the models)",
    verdicts: "Same or different?", model: "Model", says: "says", sure: "how sure", same: "same", different: "different",
    "truth-same": "They are of one kind: the same.", "truth-different": "They are of two kinds: different.",
    agree: "All three are right.", "agree-wrong": "All three are wrong.", disagree: "The models disagree.",
    "pair-hint": "The models have seen circles, triangles and squares of 250 to 550 pixels, lighter than the background, that never touch. Beyond that, see which fails first.",
    "of-model": "Model: {0}. Answered in {1} ms.", likeliest: "{0}, {1}",
    nothing: "Nothing has been asked yet.", looks: "What it looks at",
    "looks-of": "What {0} looks at", seen: "The picture as the model sees it, in {0} by {1} patches",
    layer: "Layer", head: "Head", rollout: "all (rollout)", mean: "mean of all", "no-attention": "This model has no attention to show.",
    "looks-hint": "Point at a patch, click it, or use the arrows: what that patch attends to lights up. Escape lets go.",
    overall: "How much each patch is looked at, on the whole. Most of all: {0}.",
    "from-patch": "Row {0}, column {1} attends to: {2}.", place_: "row {0}, column {1} ({2})",
    least: "0%", most: "{0} of the attention",
    digits_only: "It has learnt from MNIST's handwriting and from digits drawn from fonts, and gives one of ten digits to whatever it is shown. Its training aimed at 91% for the right one, not at 100%: the labels were smoothed.",
    gone: "The program behind this page does not answer: it has ended perhaps. Start it again: python -m vitkeras.demo",
    broken: "Something went wrong. The terminal in which the page was started says what.",
    "too-large": "{0} has {1} MB, and 25 MB are the most here. Save it smaller, or as JPEG.",
    problem: "{0}",
    "no-file": "There was no picture in what was dropped or pasted.",
    footer: "All of this is worked out on this machine. Nothing that you draw or upload leaves it, and nothing is kept.",
    "about-cifar10_vit": "cifar10_vit was trained on a JPEG copy of CIFAR-10: it knows ten kinds of things, and sees 32 by 32 pixels.",
    "shapes_cnn": "CNN", "shapes_hybrid": "hybrid", "shapes_vit": "ViT",
  },
  pt: {
    title: "Para onde olha um Vision Transformer?", other: "English", "other-code": "en", tabs: "O que se mostra aos modelos",
    digit: "Um dígito", photo: "Uma foto", pair: "Iguais ou diferentes",
    draw: "Desenhe um dígito", pad: "Uma página para desenhar: com o mouse, o dedo ou o teclado",
    "pad-hint": "Pelo teclado: as setas movem a caneta, a barra de espaço a abaixa e a levanta.",
    undo: "Desfazer o último traço", clear: "Limpar",
    choose: "Escolha uma foto", drop: "Solte uma foto aqui, ou cole uma", file: "Escolher um arquivo", "by-model": "Modelo:",
    place: "Coloque duas formas", stage: "Duas formas que podem ser movidas", "stage-hint": "Arraste uma forma. Pelo teclado: 1 e 2 escolhem uma, as setas a movem.",
    contrast: "Contraste", noise: "Ruído", shuffle: "Outras duas, ao acaso", shape: "Forma {0}", kind: "Tipo", size: "Tamanho", turn: "Rotação",
    circle: "círculo", triangle: "triângulo", square: "quadrado", cross: "cruz (nova para os modelos)",
    verdicts: "Iguais ou diferentes?", model: "Modelo", says: "diz", sure: "com que certeza", same: "iguais", different: "diferentes",
    "truth-same": "São do mesmo tipo: iguais.", "truth-different": "São de dois tipos: diferentes.",
    agree: "Os três acertam.", "agree-wrong": "Os três erram.", disagree: "Os modelos discordam.",
    "pair-hint": "Os modelos viram círculos, triângulos e quadrados de 250 a 550 pixels, mais claros que o fundo, que nunca se tocam. Fora disso, veja qual falha primeiro.",
    "of-model": "Modelo: {0}. Respondeu em {1} ms.", likeliest: "{0}, {1}",
    nothing: "Nada foi perguntado ainda.", looks: "Para onde olha",
    "looks-of": "Para onde olha {0}", seen: "A imagem como o modelo a vê, em {0} por {1} patches",
    layer: "Camada", head: "Cabeça", rollout: "todas (rollout)", mean: "média de todas", "no-attention": "Este modelo não tem atenção para mostrar.",
    "looks-hint": "Aponte para um patch, clique nele, ou use as setas: acende-se aquilo a que ele dá atenção. Esc desfaz a escolha.",
    overall: "Quanto cada patch é olhado, no conjunto. O mais olhado: {0}.",
    "from-patch": "Linha {0}, coluna {1} dá atenção a: {2}.", place_: "linha {0}, coluna {1} ({2})",
    least: "0%", most: "{0} da atenção",
    digits_only: "Aprendeu com a escrita à mão do MNIST e com dígitos desenhados a partir de fontes, e a tudo o que lhe mostram dá um de dez dígitos. O treino tinha por alvo 91% para o certo, e não 100%: os rótulos foram suavizados.",
    gone: "O programa por trás desta página não responde: talvez tenha terminado. Inicie-o de novo: python -m vitkeras.demo",
    broken: "Algo deu errado. O terminal em que a página foi iniciada diz o quê.",
    "too-large": "{0} tem {1} MB, e aqui o máximo são 25 MB. Salve menor, ou como JPEG.",
    problem: "Isto não deu certo. O programa diz, em inglês: {0}",
    "no-file": "Não havia imagem no que foi solto ou colado.",
    footer: "Tudo isto é calculado nesta máquina. Nada do que se desenha ou envia sai dela, e nada é guardado.",
    "about-cifar10_vit": "cifar10_vit foi treinado em uma cópia JPEG do CIFAR-10: conhece dez tipos de coisas, e vê 32 por 32 pixels.",
    "shapes_cnn": "CNN", "shapes_hybrid": "híbrido", "shapes_vit": "ViT",
  },
};

// Names of classes; what is not here stands for itself, for a student's model may have classes of any name.
const CLASSES = {
  en: {},
  pt: {
    airplane: "avião", automobile: "automóvel", bird: "pássaro", cat: "gato", deer: "veado", dog: "cachorro", frog: "sapo", horse: "cavalo", ship: "navio", truck: "caminhão",
  },
};

export const page = new EventTarget(); // tells "language", when the page is to say all that it says anew
let language = (new URLSearchParams(location.search).get("lang") || navigator.language).startsWith("pt") ? "pt" : "en";

/** The words for `key`, with what is told put in. */
export function say(key, ...told) {
  return (WORDS[language][key] ?? "").replace(/\{(\d)\}/g, (_, place) => told[place]);
}

export function nameOf(what) {
  return Object.hasOwn(CLASSES[language], what) ? CLASSES[language][what] : what;
}

export function percent(share) {
  return share.toLocaleString(language, { style: "percent", maximumFractionDigits: 1 });
}

export function sayAll() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-says]")) element.textContent = say(element.dataset.says);
  for (const element of document.querySelectorAll("[data-names]")) element.setAttribute("aria-label", say(element.dataset.names));
  document.title = `vitkeras: ${say("title")}`;
  page.dispatchEvent(new Event("language"));
}

export function otherLanguage() {
  language = language === "en" ? "pt" : "en";
  sayAll();
}
