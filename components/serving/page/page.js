// Sends each image alone to the server's own REST API and draws what comes back as bars.

const byId = (id) => document.getElementById(id);
const drop = byId("drop");
let about = null;
let waiting = [];

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

async function ask(path, options = {}) {
  const token = sessionStorage.getItem("token");
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const response = await fetch(path, { ...options, headers });
  const content = await response.json();
  if (response.ok) return content;
  if (response.status === 401) byId("access").hidden = false;
  throw new Error(content.error);
}

async function introduce() {
  try {
    about = await ask("about");
  } catch (error) {
    byId("model").textContent = error.message;
    return;
  }
  byId("access").hidden = true;
  const seconds = Number(about.version);
  // The Pusher's versions are seconds since 1970.
  const pushed = seconds > 1e9 ? `, pushed ${new Date(seconds * 1000).toLocaleString()}` : "";
  const trained = about.examples ? `, trained on ${about.examples.train} posters` : "";
  const data = about.data?.date ? `, data of ${about.data.date}` : "";
  byId("model").textContent = `Model ${about.name}, version ${about.version}${pushed}${trained}${data}.`;
  offerReport();
  const held = waiting;
  waiting = [];
  show(held);
}

function offerReport() {
  byId("report").hidden = !about.report;
  if (about.report) byId("report").href = about.report;
}

function encoded(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

function bars(row) {
  const names = row[about.labels_output];
  const order = names.map((_, place) => place).sort((a, b) => row.scores[b] - row.scores[a]);
  const rows = order.map((place) => {
    const score = row.scores[place];
    const fill = element("div", { className: "fill" });
    fill.style.width = `${100 * score}%`;
    const mark = element("div", { className: "threshold" });
    return element(
      "tr",
      { className: score > 0.5 ? "given" : "" },
      element("th", { scope: "row", textContent: names[place] }),
      element("td", { className: "scale" }, element("div", { className: "bar", ariaHidden: "true" }, fill, mark)),
      element("td", { className: "number", textContent: score.toFixed(3) }),
    );
  });
  const caption = element("caption", { textContent: "Score; beyond the line at 0.5 the label is given" });
  return element("table", {}, caption, element("tbody", {}, ...rows));
}

// What of the training set looks most like it, by the model's own features.
async function neighbours(body) {
  if (!about.has_neighbours) return [];
  const { neighbours: [found] } = await ask("neighbours", { method: "POST", body });
  const items = found.map(({ id, labels, picture }) => element(
    "li",
    {},
    element("img", { src: picture, alt: "" }),
    element("span", { textContent: `${labels.join(", ") || "no label"} (${id})` }),
  ));
  const title = element("h3", { textContent: "Nearest in the training set, and their labels" });
  return [title, element("ul", { className: "neighbours" }, ...items)];
}

async function answer(file) {
  const title = element("h2", { textContent: file.name || "Pasted image" });
  const picture = element("div");
  const words = element("div", {}, title);
  const article = element("article", {}, picture, words);
  byId("answers").prepend(article);
  try {
    const body = JSON.stringify({ instances: [{ b64: await encoded(file) }] });
    const path = `v1/models/${encodeURIComponent(about.name)}:predict`;
    const { predictions } = await ask(path, { method: "POST", body });
    const given = predictions[0][about.labels_output].filter((_, at) => predictions[0].scores[at] > 0.5);
    title.textContent += `: ${given.join(", ") || "no label"}`;
    const image = element("img", { src: URL.createObjectURL(file), alt: `The image ${file.name}` });
    image.onload = () => URL.revokeObjectURL(image.src);
    picture.append(image);
    words.append(bars(predictions[0]));
    byId("said").textContent = title.textContent;
    words.append(...await neighbours(body));
  } catch (error) {
    words.append(element("p", { className: "why", textContent: error.message }));
    byId("said").textContent = `${file.name}: ${error.message}`;
  }
}

async function show(files) {
  if (!about) {
    waiting.push(...files);
    return;
  }
  for (const file of files) await answer(file);
}

byId("files").addEventListener("change", (event) => {
  show([...event.target.files]);
  event.target.value = "";
});
byId("access").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", byId("token").value.trim());
  introduce();
});
byId("report").addEventListener("click", (event) => {
  const token = sessionStorage.getItem("token");
  // Elsewhere the token has no business.
  if (!token || about.report !== "report") return;
  // A link sends no header: a form carries the token instead.
  event.preventDefault();
  byId("report-form").elements.token.value = token;
  byId("report-form").submit();
});
addEventListener("paste", (event) => show([...event.clipboardData.files]));
addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
addEventListener("dragleave", () => drop.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  show([...event.dataTransfer.files]);
});
introduce();
