// The page of a running server. One module, no dependency; whatever comes from a server is put on
// the page as text, never as markup.
//
// Rules of the protocol kept here: S2, S6 and S7 (reading streams), L2 to L6, L9 and Z13 (folding
// them), N3 (what is not known is shown whole), P1 (conversations), Z14 (cost per event).

const MOST_ENTRIES = 400; // entries of the timeline that stay on the page
const MOST_ROWS = 40; // rows inside an entry
const MOST_TEXT = 200_000; // characters of one text that are shown
const MOST_CHILDREN = 100; // members of a value that are unfolded at a time
const MOST_TURNS = 50;

const element = (id) => document.getElementById(id);

function make(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const pretty = (value) => JSON.stringify(value, null, 2);
const counted = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(3)} s`;

function clipped(text, most = MOST_TEXT) {
  return text.length <= most ? text : `${text.slice(0, most)}\n… ${counted(text.length - most, "more character")}`;
}

// ---------------------------------------------------------------------------------------------
// Server-sent events

/** Reads a stream of server-sent events from bytes that are split anywhere (rule S6). */
export class EventDecoder {
  #decoder = new TextDecoder();
  #lineEnd = /\r\n|\r|\n/g;
  #line = "";
  #skipsLineFeed = false;
  #name = "";
  #data = [];
  #deliver;

  /** @param {(name: string, data: string) => void} deliver is given each event */
  constructor(deliver) {
    this.#deliver = deliver;
  }

  feed(bytes) {
    this.#read(this.#decoder.decode(bytes, { stream: true }));
  }

  #read(text) {
    if (!text) return;
    let start = this.#skipsLineFeed && text[0] === "\n" ? 1 : 0;
    this.#skipsLineFeed = text.endsWith("\r");
    this.#lineEnd.lastIndex = start;
    for (let end; (end = this.#lineEnd.exec(text)); start = this.#lineEnd.lastIndex) {
      this.#take(this.#line + text.slice(start, end.index));
      this.#line = "";
    }
    this.#line += text.slice(start);
  }

  #take(line) {
    if (line === "") {
      if (this.#data.length) this.#deliver(this.#name || "message", this.#data.join("\n"));
      this.#name = "";
      this.#data = [];
      return;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value[0] === " ") value = value.slice(1);
    if (field === "event") this.#name = value;
    else if (field === "data") this.#data.push(value);
  }
}

// ---------------------------------------------------------------------------------------------
// Folding events into a response

const TERMINAL = new Set(["response.completed", "response.incomplete", "response.failed"]);
const STATES = new Set(["response.created", "response.queued", "response.in_progress", ...TERMINAL]);

/** Events that add to a text or end it: the list and the member that it stands in. */
const TEXTS = {
  "response.output_text": ["content", "text"],
  "response.refusal": ["content", "refusal"],
  "response.reasoning": ["content", "text"],
  "response.reasoning_text": ["content", "text"],
  "response.reasoning_summary_text": ["summary", "text"],
  "response.function_call_arguments": ["", "arguments"],
};
const PARTS = {
  "response.content_part": "content",
  "response.reasoning_summary_part": "summary",
};

/** What an event is about: `{stem, stage}`, such as `response.output_text` and `delta`. */
function split(type) {
  const at = type.lastIndexOf(".");
  return { stem: type.slice(0, at), stage: type.slice(at + 1) };
}

const placeIn = (event, list) => (list === "summary" ? event.summary_index : event.content_index) ?? 0;

/** An item as far as it came; pieces of text are joined when it is asked for (rule Z14). */
class Draft {
  #texts = new Map();

  constructor(item) {
    this.item = item;
  }

  part(list, index) {
    const parts = (this.item[list] = Array.isArray(this.item[list]) ? this.item[list] : []);
    return (parts[index] ??= { type: list === "summary" ? "summary_text" : "output_text" });
  }

  setPart(list, index, part) {
    this.part(list, index);
    this.item[list][index] = part;
    this.#texts.delete(`${list}/${index}`);
  }

  addText(list, index, member, piece) {
    const key = `${list}/${index}`;
    if (!this.#texts.has(key)) {
      const owner = list ? this.part(list, index) : this.item;
      this.#texts.set(key, { owner, member, pieces: [owner[member] ?? ""] });
    }
    this.#texts.get(key).pieces.push(piece);
  }

  setText(list, index, member, text) {
    this.#texts.delete(`${list}/${index}`);
    (list ? this.part(list, index) : this.item)[member] = text;
  }

  get value() {
    for (const text of this.#texts.values()) {
      text.pieces = [text.pieces.join("")];
      text.owner[text.member] = text.pieces[0];
    }
    return this.item;
  }
}

/** Folds the events of one response. */
export class Fold {
  response = null; // the latest snapshot that an event carried
  terminal = null; // the response of the event that ended the stream
  #drafts = new Map();

  take(event) {
    const { stem, stage } = split(event.type);
    if (STATES.has(event.type) && isObject(event.response)) {
      this.response = event.response;
      if (TERMINAL.has(event.type)) this.terminal = event.response;
    } else if (stem === "response.output_item" && isObject(event.item)) {
      this.#drafts.set(event.output_index, new Draft(structuredClone(event.item)));
    } else {
      const draft = this.#drafts.get(event.output_index);
      if (draft) this.#apply(draft, event, stem, stage);
    }
  }

  #apply(draft, event, stem, stage) {
    if (Object.hasOwn(PARTS, stem) && isObject(event.part)) {
      draft.setPart(PARTS[stem], placeIn(event, PARTS[stem]), structuredClone(event.part));
    } else if (event.type === "response.output_text.annotation.added") {
      const part = draft.part("content", placeIn(event, "content"));
      (part.annotations ??= [])[event.annotation_index ?? part.annotations.length] = event.annotation;
    } else if (Object.hasOwn(TEXTS, stem)) {
      const [list, member] = TEXTS[stem];
      const index = placeIn(event, list);
      if (stage === "delta" && typeof event.delta === "string") draft.addText(list, index, member, event.delta);
      else if (stage === "done" && member in event) draft.setText(list, index, member, event[member]);
    }
  }

  /** The output, out of the events of items alone. */
  get output() {
    return [...this.#drafts.keys()].sort((a, b) => a - b).map((index) => this.#drafts.get(index).value);
  }

  /** The response; null when none was begun. */
  get folded() {
    return this.response && { ...this.response, output: this.output };
  }

  /** Whether the output that was folded is that of the terminal event (rule L9). */
  get agrees() {
    return this.terminal !== null && isEqual(this.output, this.terminal.output);
  }
}

function isEqual(one, other) {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return one === other;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isEqual(one[name], other[name]))
  );
}

// ---------------------------------------------------------------------------------------------
// The timeline

/** A list on the page that keeps its newest rows, and says how many it dropped. */
class Rows {
  #most;
  #list;
  #fresh = [];
  #dropped = 0;
  #note = null;

  constructor(list, most) {
    this.#list = list;
    this.#most = most;
  }

  add(build) {
    this.#fresh.push(build);
    if (this.#fresh.length > this.#most) {
      this.#fresh.shift();
      this.#dropped += 1;
    }
  }

  render() {
    for (const build of this.#fresh.splice(0)) this.#list.append(build());
    const first = this.#note ? 1 : 0;
    while (this.#list.children.length - first > this.#most) {
      this.#list.children[first].remove();
      this.#dropped += 1;
    }
    if (!this.#dropped) return;
    if (!this.#note) this.#list.prepend((this.#note = make("li", "note")));
    this.#note.textContent = `${counted(this.#dropped, "earlier event")} left out`;
  }
}

/** A value as JSON, whole, to be unfolded; `notes` stand beside its title. */
function whole(title, value, { isOpen = false, notes = [] } = {}) {
  const box = make("details", "whole");
  const head = make("summary", "", title);
  for (const note of notes.filter(Boolean)) head.append(" ", make("span", "detail", note));
  const code = make("pre", "code");
  box.append(head, code);
  const fill = () => (code.textContent ||= clipped(pretty(value) ?? String(value)));
  box.addEventListener("toggle", fill);
  if (isOpen) {
    box.open = true;
    fill();
  }
  return box;
}

const PLACE = new Set(["type", "sequence_number", "item_id", "output_index", "content_index", "id", "status"]);

/** What a value says beside its kind and place, in short. */
function gist(value) {
  const members = Object.entries(value).filter(([name]) => !PLACE.has(name));
  return clipped(members.map(([name, each]) => `${name}: ${JSON.stringify(each)}`).join(", "), 160).replaceAll("\n", " ");
}

/** The members of an item whose shape is a vendor's own. */
function receipt(item) {
  const list = make("dl", "receipt");
  for (const [name, value] of Object.entries(item).slice(0, MOST_ROWS)) {
    if (PLACE.has(name) || value === null) continue;
    const row = make("div");
    row.append(make("dt", "", clipped(name, 80)), make("dd", "", clipped(typeof value === "string" ? value : pretty(value), 20_000)));
    list.append(row);
  }
  return list;
}

/** A moment: a status of the response, an error, an event that belongs to no item. */
class Moment {
  #built = null;

  constructor(at, title, detail, tone, value) {
    Object.assign(this, { at, title, detail, tone, value });
  }

  render() {
    if (this.#built) return this.#built;
    const box = make("li", "entry moment");
    box.dataset.tone = this.tone;
    const body = make("div", "body");
    if (this.value === undefined) {
      const line = make("p", "line");
      line.append(make("strong", "", this.title), " ", make("span", "detail", this.detail));
      body.append(line);
    } else {
      if (this.detail) body.append(make("p", "line", this.detail));
      const isShort = (pretty(this.value) ?? "").length < 1200;
      body.append(whole(this.title, this.value, { isOpen: isShort }));
    }
    box.append(make("span", "time", seconds(this.at)), body);
    return (this.#built = box);
  }

  remove() {
    this.#built?.remove();
  }
}

/** A text that grows: a part of an item, a summary, the arguments of a call. */
class GrowingText {
  #pending = [];
  #length = 0;
  #shown = 0;
  #deltas = 0;
  #first;
  #last;
  #isDone = false;
  #annotations = [];
  #built = null;

  constructor(kind, at) {
    this.kind = kind;
    this.#first = this.#last = at;
  }

  add(piece, at) {
    this.#deltas += 1;
    this.#length += piece.length;
    this.#last = at;
    this.#pending.push(piece);
  }

  finish(text, at) {
    this.#last = at;
    this.#isDone = true;
    if (this.#length === 0 && typeof text === "string" && text) {
      this.#length = text.length;
      this.#pending.push(text);
    }
  }

  annotate(annotation) {
    this.#annotations.push(annotation);
  }

  render() {
    const built = (this.#built ??= this.#build());
    const room = MOST_TEXT - this.#shown;
    const piece = this.#pending.splice(0).join("").slice(0, Math.max(0, room));
    if (piece) {
      this.#shown += piece.length;
      built.text.appendData(piece);
    }
    const facts = [];
    if (this.#deltas) facts.push(counted(this.#deltas, "delta"));
    facts.push(counted(this.#length, "character"));
    if (this.#shown < this.#length) facts.push(`the first ${this.#shown.toLocaleString("en")} are shown`);
    built.facts.textContent = facts.join(" · ");
    built.time.textContent = this.#first === this.#last ? seconds(this.#first) : `${seconds(this.#first)} to ${seconds(this.#last)}`;
    built.box.classList.toggle("open", !this.#isDone);
    for (const each of this.#annotations.splice(0)) {
      if (built.annotations.children.length >= MOST_ROWS) break;
      built.annotations.append(annotationChip(each));
    }
    return built.box;
  }

  #build() {
    const box = make("div", "part");
    box.dataset.kind = this.kind;
    const head = make("p", "part-head");
    const facts = make("span", "detail");
    const time = make("span", "time");
    head.append(make("span", "kind", this.kind), facts, time);
    const frame = make("pre", "text");
    const text = document.createTextNode("");
    frame.append(text);
    const annotations = make("ul", "annotations");
    box.append(head, frame, annotations);
    return { box, facts, time, text, annotations };
  }
}

function annotationChip(annotation) {
  const label = annotation?.title || annotation?.url || annotation?.type || "annotation";
  const chip = make("li", "chip", clipped(String(label), 120));
  chip.title = clipped(pretty(annotation) ?? "", 2000);
  return chip;
}

const STATUS_WORDS = new Set(["in_progress", "completed", "incomplete", "failed", "cancelled"]);

/** An item of the output, and all that came about it. */
class ItemCard {
  #texts = new Map();
  #statuses = [];
  #extras = [];
  #wholeItem = null;
  #built = null;

  constructor(item, index, at) {
    Object.assign(this, { item, index, at, lastAt: at, isClosed: false });
    this.#settleStatus(item.status ?? "in_progress", at);
  }

  get #isKnown() {
    return ["message", "function_call", "reasoning", "compaction", "function_call_output"].includes(this.item.type);
  }

  #settleStatus(status, at) {
    if (typeof status === "string" && this.#statuses.at(-1)?.status !== status) {
      this.#statuses.push({ status: clipped(status, 60), at });
    }
  }

  #text(key, kind, at) {
    if (!this.#texts.has(key)) this.#texts.set(key, new GrowingText(kind, at));
    return this.#texts.get(key);
  }

  /** Take an event about this item. */
  take(event, stem, stage, at) {
    this.lastAt = at;
    if (Object.hasOwn(PARTS, stem)) {
      const list = PARTS[stem];
      const text = this.#text(`${list}/${placeIn(event, list)}`, String(event.part?.type ?? list), at);
      if (stage === "done") text.finish(event.part?.text ?? event.part?.refusal, at);
    } else if (event.type === "response.output_text.annotation.added") {
      this.#text(`content/${placeIn(event, "content")}`, "output_text", at).annotate(event.annotation);
    } else if (Object.hasOwn(TEXTS, stem)) {
      const [list, member] = TEXTS[stem];
      const text = this.#text(`${list}/${placeIn(event, list)}`, member === "arguments" ? "arguments" : stem.slice(9), at);
      if (stage === "delta") text.add(String(event.delta ?? ""), at);
      else text.finish(event[member], at);
    } else {
      if (typeof event.status === "string") this.#settleStatus(event.status, at);
      else if (stage !== "delta" && stage !== "done" && !stage.includes(":")) this.#settleStatus(stage, at);
      this.#extras.push({ event, at });
      if (this.#extras.length > 2 * MOST_ROWS) this.#extras.splice(1, 1);
    }
  }

  /** Take the final shape of the item (rule L6). */
  close(item, at) {
    Object.assign(this, { item, lastAt: at, isClosed: true });
    this.#settleStatus(item.status ?? "completed", at);
    for (const list of ["content", "summary"]) {
      for (const [index, part] of Array.isArray(item[list]) ? item[list].entries() : []) {
        const said = part?.text ?? part?.refusal;
        if (typeof said !== "string") continue;
        const isNew = !this.#texts.has(`${list}/${index}`);
        const text = this.#text(`${list}/${index}`, String(part.type), at);
        text.finish(said, at);
        if (isNew) for (const each of part.annotations ?? []) text.annotate(each);
      }
    }
    if (typeof item.arguments === "string" && item.type === "function_call") {
      this.#text("/0", "arguments", at).finish(item.arguments, at);
    }
    if (!this.#isKnown) this.#wholeItem = item;
  }

  get #title() {
    const { type, role, name } = this.item;
    const more = type === "message" ? role : type === "function_call" ? name : "";
    return { type: clipped(String(type), 120), more: clipped(String(more ?? ""), 120) };
  }

  render() {
    const built = (this.#built ??= this.#build());
    const { type, more } = this.#title;
    built.type.textContent = type;
    built.more.textContent = more;
    built.time.textContent = seconds(this.at);
    built.took.textContent = this.isClosed ? `took ${seconds(this.lastAt - this.at)}` : "";
    while (built.statuses.children.length < Math.min(this.#statuses.length, MOST_ROWS)) {
      const { status, at } = this.#statuses[built.statuses.children.length];
      const step = make("li");
      const chip = make("span", "status-chip", status);
      chip.dataset.status = STATUS_WORDS.has(status) ? status : "own";
      chip.title = `since ${seconds(at)}`;
      step.append(chip);
      built.statuses.append(step);
    }
    built.box.dataset.state = this.isClosed ? "closed" : "open";
    for (const [key, text] of this.#texts) {
      if (built.keys.has(key) || built.keys.size < MOST_ROWS) {
        const box = text.render();
        if (!built.keys.has(key)) built.parts.append(box);
        built.keys.add(key);
      }
    }
    for (const { event, at } of this.#extras.splice(0)) {
      built.rows.add(() => {
        const row = make("li");
        row.append(whole(clipped(String(event.type), 120), event, { notes: [gist(event), seconds(at)] }));
        return row;
      });
    }
    built.rows.render();
    if (this.#wholeItem) {
      built.whole.replaceChildren(receipt(this.#wholeItem), whole("the item, whole", this.#wholeItem));
      this.#wholeItem = null;
    }
    if (this.isClosed && this.item.type === "function_call" && !built.answer) {
      built.answer = make("button", "quiet", "Answer this call");
      built.answer.type = "button";
      built.answer.addEventListener("click", () => answerCall(this.item));
      built.body.append(built.answer);
    }
    return built.box;
  }

  #build() {
    const box = make("li", "entry item");
    box.dataset.type = this.#isKnown ? this.item.type : "vendor";
    const head = make("div", "item-head");
    const type = make("strong", "type");
    const more = make("span", "more");
    const statuses = make("ol", "statuses");
    statuses.setAttribute("aria-label", "Statuses, in order");
    const took = make("span", "time");
    head.append(type, more, statuses, took);
    const parts = make("div", "parts");
    const extras = make("ol", "extras");
    const body = make("div", "body");
    const wholeItem = make("div", "whole-item");
    body.append(head, parts, extras, wholeItem);
    const time = make("span", "time");
    box.append(time, body);
    return { box, type, more, statuses, took, parts, body, time, whole: wholeItem, keys: new Set(), rows: new Rows(extras, MOST_ROWS), answer: null };
  }

  remove() {
    this.#built?.box.remove();
  }
}

/** The entries, in the order in which they began; drawn once per frame, and bounded. */
class Timeline {
  #entries = [];
  #fresh = new Set();
  #dirty = new Set();
  #cards = new Map();
  #byId = new Map();
  #dropped = 0;
  #isScheduled = false;
  #lastNumber = null;

  constructor() {
    this.list = element("timeline");
    this.clear();
  }

  clear() {
    this.list.replaceChildren();
    this.#entries = [];
    this.#fresh.clear();
    this.#dirty.clear();
    this.#cards.clear();
    this.#byId.clear();
    this.#dropped = 0;
    this.#lastNumber = null;
    this.start = performance.now();
    this.count = 0;
    this.firstAt = null;
    element("dropped").hidden = true;
    element("timeline-empty").hidden = false;
    element("counts").textContent = "";
  }

  now() {
    return performance.now() - this.start;
  }

  /** Take an event of a stream. */
  take(event) {
    const at = this.now();
    this.firstAt ??= at;
    this.count += 1;
    this.#checkNumber(event, at);
    const { stem, stage } = split(event.type);
    if (STATES.has(event.type)) {
      this.#state(event, at);
    } else if (event.type === "error") {
      this.moment("error", describeError(event.error ?? event), "bad", event);
    } else if (stem === "response.output_item" && isObject(event.item)) {
      this.#item(event, stage, at);
    } else {
      const card = this.#cards.get(event.output_index) ?? this.#byId.get(event.item_id);
      if (card) {
        card.take(event, stem, stage, at);
        this.#dirty.add(card);
      } else if (!Object.hasOwn(TEXTS, stem) || event.output_index === undefined) {
        this.moment(event.type, "", "unknown", event);
      }
    }
    this.#schedule();
  }

  #checkNumber(event, at) {
    const number = event.sequence_number;
    if (!Number.isInteger(number)) return;
    if (this.#lastNumber !== null && number <= this.#lastNumber) {
      this.#add(new Moment(at, "Order", `sequence_number ${number} follows ${this.#lastNumber} (rule S3)`, "bad"));
    } else if (this.#lastNumber !== null && number > this.#lastNumber + 1) {
      this.#add(new Moment(at, "Gap", `sequence_number ${number} follows ${this.#lastNumber}`, "warn"));
    }
    this.#lastNumber = number;
  }

  #state(event, at) {
    const { response } = event;
    const status = String(response?.status ?? "");
    const facts = [status];
    if (response?.incomplete_details?.reason) facts.push(String(response.incomplete_details.reason));
    if (response?.error) facts.push(describeError(response.error));
    if (TERMINAL.has(event.type) && isObject(response?.usage)) {
      facts.push(`${response.usage.input_tokens} tokens in, ${response.usage.output_tokens} out`);
    }
    const tone = { completed: "good", incomplete: "warn", failed: "bad" }[status] ?? "plain";
    this.#add(new Moment(at, event.type, clipped(facts.join(" · "), 2000), tone));
  }

  #item(event, stage, at) {
    let card = this.#cards.get(event.output_index);
    if (!card) {
      card = new ItemCard(event.item, event.output_index, at);
      this.#cards.set(event.output_index, card);
      if (event.item.id) this.#byId.set(event.item.id, card);
      this.#add(card);
    }
    if (stage === "done") card.close(event.item, at);
    this.#dirty.add(card);
  }

  /** Show an item that came whole. */
  item(item, index) {
    const at = this.now();
    const card = new ItemCard(item, index, at);
    card.close(item, at);
    this.#add(card);
  }

  /** Show something that happened now. */
  moment(title, detail, tone, value) {
    this.#add(new Moment(this.now(), title, detail, tone, value));
  }

  #add(entry) {
    this.#entries.push(entry);
    this.#fresh.add(entry);
    this.#schedule();
  }

  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Frames do not come while the page is hidden; what arrives meanwhile is drawn all the same.
    if (document.hidden) setTimeout(() => this.draw(), 200);
    else requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.#isScheduled = false;
    const view = document.scrollingElement;
    const isAtEnd = running !== null && view.scrollHeight - view.scrollTop - view.clientHeight < 40;
    for (const entry of this.#entries.splice(0, Math.max(0, this.#entries.length - MOST_ENTRIES))) {
      entry.remove();
      this.#fresh.delete(entry);
      this.#dirty.delete(entry);
      this.#dropped += 1;
    }
    const fresh = document.createDocumentFragment();
    for (const entry of this.#fresh) fresh.append(entry.render());
    for (const entry of this.#dirty) entry.render();
    this.list.append(fresh);
    this.#fresh.clear();
    this.#dirty.clear();
    element("timeline-empty").hidden = this.#entries.length > 0;
    element("dropped").hidden = !this.#dropped;
    element("dropped").textContent = `Earlier entries left out of the page: ${this.#dropped.toLocaleString("en")}. The response has all items.`;
    element("counts").textContent = running && this.count ? `${counted(this.count, "event")} · ${seconds(this.now())}` : "";
    this.list.classList.toggle("running", running !== null);
    if (isAtEnd) view.scrollTop = view.scrollHeight;
  }
}

function describeError(error) {
  if (!isObject(error)) return clipped(String(error), 2000);
  const place = error.param ? ` (${error.param})` : "";
  return clipped(`${error.code ?? error.type ?? "error"}: ${error.message ?? ""}${place}`, 2000);
}

// ---------------------------------------------------------------------------------------------
// JSON that can be unfolded

function tree(name, value, isOpen) {
  if (typeof value !== "object" || value === null) {
    const leaf = make("div", "leaf");
    const kind = value === null ? "null" : typeof value;
    const text = typeof value === "string" ? JSON.stringify(clipped(value)) : String(value);
    leaf.append(label(name), make("span", `value ${kind}`, text));
    return leaf;
  }
  const entries = Object.entries(value);
  const box = make("details", "branch");
  const head = make("summary");
  const kind = Array.isArray(value) ? `[ ${entries.length} ]` : `{ ${entries.length} }`;
  const hint = !Array.isArray(value) && typeof value.type === "string" ? ` ${clipped(value.type, 80)}` : "";
  head.append(label(name), make("span", "detail", kind + hint));
  box.append(head);
  const inside = make("div", "inside");
  box.append(inside);
  let shown = 0;
  const more = () => {
    const next = entries.slice(shown, shown + MOST_CHILDREN);
    shown += next.length;
    inside.append(...next.map(([key, each]) => tree(key, each, false)));
    if (shown === entries.length) return;
    const button = make("button", "quiet", `Show ${Math.min(MOST_CHILDREN, entries.length - shown)} more of ${entries.length}`);
    button.type = "button";
    button.addEventListener("click", () => {
      button.remove();
      more();
    });
    inside.append(button);
  };
  box.addEventListener("toggle", () => {
    if (box.open && !shown && entries.length) more();
  });
  if (isOpen) {
    box.open = true;
    if (entries.length) more();
  }
  return box;
}

const label = (name) => make("span", "name", name === "" ? "" : `${name}: `);

// ---------------------------------------------------------------------------------------------
// The request

let settings = { package: "openresponses_kit", prefix: "/v1", needs_key: false };
let conversation = [];
let running = null;
let shownResponse = null;
const here = new URL(".", location.href);
const ownBase = () => here.href.replace(/\/$/, "") + settings.prefix;
const timeline = new Timeline();

class FormError extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

function jsonOf(id, isRight, what) {
  const text = element(id).value.trim();
  if (!text) return undefined;
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FormError(id, `${what} cannot be read as JSON: ${error.message}`);
  }
  if (!isRight(value)) throw new FormError(id, `${what} has to be ${id === "fields" ? "a JSON object" : "a JSON array"}.`);
  return value;
}

function baseOf(id) {
  let url;
  try {
    url = new URL(element(id).value.trim());
  } catch {
    throw new FormError(id, "The server has to be a URL, such as https://example.com/v1.");
  }
  if (!["http:", "https:"].includes(url.protocol)) throw new FormError(id, "The URL has to begin with http:// or https://.");
  if (url.username || url.password) throw new FormError(id, "The URL must not hold credentials: give the key on its own.");
  return (url.origin + url.pathname).replace(/\/+$/, "").replace(/\/responses$/, "");
}

function inputOf() {
  const text = element("input").value;
  if (text.trimStart().startsWith("[")) {
    try {
      const items = JSON.parse(text);
      if (items.length && items.every(isObject)) return items;
    } catch {
      // It only looks like JSON, and is what the user has to say.
    }
  }
  return text;
}

/** The request of the form: `{base, key, known, more}`. Throws a `FormError`. */
function requestOf() {
  const base = baseOf("url");
  const known = {};
  const model = element("model").value.trim();
  const instructions = element("instructions").value;
  if (model) known.model = model;
  if (instructions.trim()) known.instructions = instructions;
  known.input = inputOf();
  const previous = element("previous").value;
  if (previous) known.previous_response_id = previous;
  const effort = element("effort").value;
  if (effort) known.reasoning = { effort };
  const tools = jsonOf("tools", Array.isArray, "Tools");
  if (tools?.length) known.tools = tools;
  const more = jsonOf("fields", isObject, "What stands in more fields") ?? {};
  for (const name of Object.keys(more)) delete known[name];
  const { stream = element("stream").checked, ...rest } = more;
  return { base, key: element("key").value, known, more: rest, stream: stream === true };
}

function bodyOf({ known, more, stream }) {
  return { ...known, ...more, ...(stream ? { stream: true } : {}) };
}

function showFormError(place, error) {
  element(place).textContent = error ? error.message : "";
  for (const each of document.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
  if (!error?.field) return;
  const field = element(error.field);
  field.closest("details")?.setAttribute("open", "");
  field.setAttribute("aria-invalid", "true");
  field.focus();
}

function setStatus(id, text, state) {
  element(id).textContent = text;
  element(id).dataset.state = state;
}

/** One thing runs at a time; the focus moves on where the button that has it is disabled. */
function setBusy(starter, stopper, isBusy) {
  const from = element(isBusy ? starter : stopper);
  const to = element(isBusy ? stopper : starter);
  const hadFocus = document.activeElement === from;
  to.disabled = false;
  from.disabled = true;
  for (const other of ["send", "run"]) if (other !== starter) element(other).disabled = isBusy;
  if (hadFocus) to.focus();
}

/** Where a request goes, and its headers: to the server itself, or through it to another one. */
function routeTo(base, key) {
  const headers = { "content-type": "application/json" };
  if (key) headers.authorization = `Bearer ${key}`;
  if (base === ownBase()) return { address: `${base}/responses`, headers };
  headers["x-forward-to"] = base;
  const pageKey = element("page-key").value;
  if (pageKey) headers["x-page-key"] = pageKey;
  return { address: new URL("page/forward", here).href, headers };
}

async function send() {
  let request;
  try {
    request = requestOf();
  } catch (error) {
    showFormError("form-error", error);
    return;
  }
  showFormError("form-error", null);
  const stopper = (running = new AbortController());
  setBusy("send", "stop", true);
  timeline.clear();
  showResponse(null);
  // On a narrow page what comes is below the form.
  if (element("request").getBoundingClientRect().right > element("timeline").getBoundingClientRect().left) {
    element("status").scrollIntoView({ block: "start" });
  }
  setStatus("status", "Waiting for the server.", "busy");
  const fold = new Fold();
  try {
    await exchange(request, stopper.signal, fold);
  } catch (error) {
    if (stopper.signal.aborted) {
      timeline.moment("Stopped", "by you", "warn");
      setStatus("status", `Stopped after ${counted(timeline.count, "event")}.`, "warn");
    } else {
      timeline.moment("Connection", String(error.message ?? error), "bad");
      setStatus("status", `The connection failed: ${error.message ?? error}`, "bad");
    }
  } finally {
    running = null;
    setBusy("send", "stop", false);
    finishExchange(request, fold);
  }
}

async function exchange(request, signal, fold) {
  const { address, headers } = routeTo(request.base, request.key);
  const body = JSON.stringify(bodyOf(request));
  const options = { method: "POST", headers, body, signal, cache: "no-store", credentials: "omit", redirect: "error" };
  const answer = await fetch(address, options);
  const isStream = answer.headers.get("content-type")?.startsWith("text/event-stream");
  if (answer.ok && isStream) await readStream(answer, fold);
  else await readWhole(answer, fold);
}

async function readStream(answer, fold) {
  let isDone = false;
  setStatus("status", "Streaming.", "busy");
  const decoder = new EventDecoder((name, data) => {
    if (data === "[DONE]") {
      isDone = true;
      return;
    }
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      timeline.moment("Not JSON", `the data of an event ${name}`, "bad", data);
      return;
    }
    if (!isObject(event) || typeof event.type !== "string") {
      timeline.moment("No event", `it has no type; its name is ${name}`, "bad", event);
      return;
    }
    fold.take(event);
    timeline.take(event);
  });
  const reader = answer.body.getReader();
  for (let step; !(step = await reader.read()).done; ) decoder.feed(step.value);
  if (fold.terminal === null) {
    timeline.moment("Cut off", "the stream ended without a terminal event (rule S7)", "bad");
    setStatus("status", `The stream was cut off after ${counted(timeline.count, "event")}.`, "bad");
    return;
  }
  if (!isDone) timeline.moment("No [DONE]", "the stream ended without it (rule S2)", "warn");
  const { status } = fold.terminal;
  const said = `${status}: ${counted(timeline.count, "event")} in ${seconds(timeline.now())}, the first after ${seconds(timeline.firstAt)}`;
  setStatus("status", `Response ${said}.`, status === "completed" ? "good" : status === "failed" ? "bad" : "warn");
}

async function readWhole(answer, fold) {
  const text = await answer.text();
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    timeline.moment(`HTTP ${answer.status}`, "the answer is no JSON", "bad", clipped(text));
    setStatus("status", `HTTP ${answer.status}: the answer is no JSON.`, "bad");
    return;
  }
  if (!answer.ok || !isObject(value)) {
    const said = isObject(value) && value.error ? describeError(value.error) : "";
    timeline.moment(`HTTP ${answer.status}`, said, "bad", value);
    setStatus("status", `HTTP ${answer.status}${said ? `: ${said}` : ""}`, "bad");
    return;
  }
  fold.response = value;
  timeline.moment(`HTTP ${answer.status}`, `response ${value.status}, in one piece`, value.status === "failed" ? "bad" : "good");
  for (const [index, item] of Array.isArray(value.output) ? value.output.entries() : []) timeline.item(item, index);
  if (value.error) timeline.moment("error", describeError(value.error), "bad", value.error);
  setStatus("status", `Response ${value.status} in ${seconds(timeline.now())}.`, value.status === "failed" ? "bad" : "good");
}

function finishExchange(request, fold) {
  timeline.draw();
  const isWhole = fold.terminal === null && Array.isArray(fold.response?.output) && !timeline.count;
  const response = isWhole ? fold.response : fold.folded;
  showResponse(response);
  if (fold.terminal !== null) {
    element("verdict").textContent = fold.agrees
      ? "Folded from the events; its output equals that of the terminal event."
      : "Folded from the events; its output differs from that of the terminal event (rule L9).";
    element("verdict").dataset.tone = fold.agrees ? "good" : "bad";
  } else if (response) {
    element("verdict").textContent = isWhole ? "The answer came in one piece." : "Folded from the events that came; there was no terminal event.";
  }
  const isKept = ["completed", "incomplete"].includes(response?.status) && response.store !== false && response.id;
  if (isKept) addTurn(request, response);
}

function showResponse(response) {
  shownResponse = response;
  element("verdict").textContent = response ? "" : "The response appears here, folded from its events.";
  delete element("verdict").dataset.tone;
  element("tree").replaceChildren(...(response ? [tree("", response, true)] : []));
  element("copy-response").disabled = !response;
}

function addTurn(request, response) {
  const { input } = bodyOf(request);
  const said = typeof input === "string" ? input : "items";
  conversation.push({ id: response.id, base: request.base, label: said.replace(/\s+/g, " ").slice(0, 40) });
  conversation = conversation.slice(-MOST_TURNS);
  listTurns(response.id);
}

/** Offer the turns with the server that is named; the others cannot be continued there. */
function listTurns(selected = "") {
  const list = element("previous");
  list.replaceChildren(list.options[0]);
  let base = "";
  try {
    base = baseOf("url");
  } catch {
    // No server, no turns.
  }
  for (const [index, turn] of conversation.entries()) {
    if (turn.base !== base) continue;
    const option = make("option", "", `${index + 1}. ${turn.label}`);
    option.value = turn.id;
    option.title = turn.id;
    list.append(option);
  }
  list.value = selected;
  if (list.selectedIndex < 0) list.value = "";
}

function answerCall(call) {
  element("input").value = pretty([{ type: "function_call_output", call_id: call.call_id, output: "" }]);
  element("input").focus();
}

// ---------------------------------------------------------------------------------------------
// The request as a program

const shellQuoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curlOf(request) {
  const lines = [`curl -sS${request.stream ? "N" : ""} ${shellQuoted(`${request.base}/responses`)}`, "-H 'content-type: application/json'"];
  if (request.key) lines.push('-H "authorization: Bearer $OPENRESPONSES_API_KEY"');
  lines.push(`--data-raw ${shellQuoted(pretty(bodyOf(request)))}`);
  return `${lines.join(" \\\n  ")}\n`;
}

function pythonOf(request) {
  const { base, key, known, more, stream } = request;
  const call = Object.entries(known).map(([name, value]) => `${name}=${literal(value, 2)}`);
  if (Object.keys(more).length) call.push(`extra_body=${literal(more, 2)}`);
  const given = call.map((each) => `        ${each},\n`).join("");
  const client = `OpenResponses(base_url=${literal(base, 0)}${key ? ', api_key=os.environ["OPENRESPONSES_API_KEY"]' : ""})`;
  const body = stream
    ? `    with client.responses.stream(\n${given}    ) as stream:\n        for event in stream:\n            print(event.type)\n        response = stream.get_final_response()\n`
    : `    response = client.responses.create(\n${given}    )\n`;
  return `${key ? "import os\n\n" : ""}from ${settings.package} import OpenResponses\n\nwith ${client} as client:\n${body}print(response.status, response.output_text)\n`;
}

/** A value as Python writes it; `depth` is the indentation of the line that it begins in. */
function literal(value, depth) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const inside = Object.entries(value).map(([name, each]) => {
    const key = Array.isArray(value) ? "" : `${JSON.stringify(name)}: `;
    return `${"    ".repeat(depth + 1)}${key}${literal(each, depth + 1)},\n`;
  });
  return inside.length ? `${open}\n${inside.join("")}${"    ".repeat(depth)}${close}` : open + close;
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    setStatus("status", `Copied ${what}.`, "idle");
  } catch {
    element("copy-text").value = text;
    element("copy-dialog").showModal();
    element("copy-text").select();
  }
}

function copyProgram(write, what) {
  try {
    const request = requestOf();
    showFormError("form-error", null);
    copy(write(request), what);
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    showFormError("form-error", error);
  }
}

// ---------------------------------------------------------------------------------------------
// Conformance

const OUTCOMES = ["failed", "advice", "skipped", "passed"];

async function conform() {
  let base;
  try {
    base = baseOf("conform-url");
  } catch (error) {
    showFormError("conform-error", error);
    return;
  }
  showFormError("conform-error", null);
  const stopper = (running = new AbortController());
  setBusy("run", "conform-stop", true);
  element("cases").replaceChildren();
  element("filters").replaceChildren();
  setStatus("conform-status", "Beginning.", "busy");
  try {
    await runCases(base, stopper.signal);
  } catch (error) {
    const said = stopper.signal.aborted ? "Stopped." : `The run failed: ${error.message ?? error}`;
    setStatus("conform-status", said, stopper.signal.aborted ? "warn" : "bad");
  } finally {
    running = null;
    element("progress").hidden = true;
    setBusy("run", "conform-stop", false);
  }
}

async function runCases(base, signal) {
  const headers = { "content-type": "application/json", "x-forward-to": base };
  const key = element("conform-key").value;
  if (key) headers.authorization = `Bearer ${key}`;
  const pageKey = element("conform-page-key").value || (base === ownBase() ? key : "");
  if (pageKey) headers["x-page-key"] = pageKey;
  const body = JSON.stringify({
    model: element("conform-model").value.trim() || null,
    cases: element("rules").value.split(/[\s,]+/).filter(Boolean),
  });
  const options = { method: "POST", headers, body, signal, cache: "no-store", credentials: "omit" };
  const answer = await fetch(new URL("page/conform", here), options);
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({}));
    throw new Error(said.error?.message ?? `HTTP ${answer.status}`);
  }
  let report = null;
  const decoder = new EventDecoder((name, data) => {
    const value = JSON.parse(data);
    if (name === "progress") showProgress(value);
    else if (name === "error") throw new Error(value.message);
    else if (name === "report") report = value;
  });
  const reader = answer.body.getReader();
  for (let step; !(step = await reader.read()).done; ) decoder.feed(step.value);
  if (!report) throw new Error("it ended without a report");
  showReport(report);
}

function showProgress({ doing, done, total }) {
  const bar = element("progress");
  bar.hidden = false;
  bar.max = total;
  bar.value = done;
  // What is live is read out: it says how far it is a few times, and not with every request.
  const quarter = total > 1 ? Math.floor((4 * done) / total) * 25 : 0;
  const text = quarter ? `Running: ${quarter} % done.` : "Running.";
  if (element("conform-status").textContent !== text) setStatus("conform-status", text, "busy");
  bar.title = `${doing}: ${done} of ${total}`;
}

function showReport(report) {
  const { summary } = report;
  const facts = OUTCOMES.map((outcome) => `${summary[outcome]} ${outcome}`).join(", ");
  const state = summary.failed ? "bad" : "good";
  setStatus("conform-status", `${counted(report.cases.length, "case")} in ${report.seconds.toFixed(1)} s: ${facts}.`, state);
  const shown = new Set(OUTCOMES);
  // Where something failed, that is what there is to read.
  if (summary.failed) shown.delete("passed");
  const filters = OUTCOMES.map((outcome) => {
    const button = make("button", "", "");
    button.type = "button";
    button.setAttribute("aria-pressed", String(shown.has(outcome)));
    button.append(make("b", "", String(summary[outcome])), outcome);
    button.addEventListener("click", () => {
      if (!shown.delete(outcome)) shown.add(outcome);
      button.setAttribute("aria-pressed", String(shown.has(outcome)));
      filterCases(shown);
    });
    return button;
  });
  element("filters").replaceChildren(...filters);
  const sections = new Map();
  for (const each of report.cases) {
    if (!sections.has(each.section)) sections.set(each.section, []);
    sections.get(each.section).push(caseBox(each, report.exchanges));
  }
  const boxes = [...sections].map(([name, cases]) => {
    const box = make("section", "section");
    box.append(make("h2", "", `Rules ${name}`), ...cases);
    return box;
  });
  element("cases").replaceChildren(...boxes);
  filterCases(shown);
}

function filterCases(shown) {
  for (const each of element("cases").querySelectorAll(".case")) each.hidden = !shown.has(each.dataset.outcome);
  for (const each of element("cases").children) each.hidden = !each.querySelector(".case:not([hidden])");
}

function caseBox(result, exchanges) {
  const box = make("article", "case");
  box.dataset.outcome = result.outcome;
  const head = make("div", "case-head");
  const outcome = make("span", "outcome", result.outcome);
  outcome.dataset.outcome = result.outcome;
  head.append(make("span", "rule", result.rule), make("span", "", result.title), outcome);
  box.append(head, make("p", "id", result.id));
  if (result.reason) box.append(make("p", "reason", clipped(result.reason, 4000)));
  for (const at of result.exchanges ?? []) {
    const exchange = exchanges[at];
    const details = make("details", "whole");
    const code = make("pre", "code");
    details.append(make("summary", "", `What was sent and what came: ${exchange.ask}`), code);
    details.addEventListener("toggle", () => (code.textContent ||= `${exchange.sent}\n\n${exchange.came}`));
    box.append(details);
  }
  return box;
}

// ---------------------------------------------------------------------------------------------
// Tabs, theme, shortcuts

function setUpTabs(list) {
  const tabs = [...list.querySelectorAll("[role=tab]")];
  const select = (tab) => {
    for (const each of tabs) {
      each.setAttribute("aria-selected", String(each === tab));
      each.tabIndex = each === tab ? 0 : -1;
      element(each.getAttribute("aria-controls")).hidden = each !== tab;
    }
  };
  for (const tab of tabs) tab.addEventListener("click", () => select(tab));
  list.addEventListener("keydown", (event) => {
    const at = tabs.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const tab = tabs.at(to % tabs.length);
    tab.focus();
    select(tab);
  });
}

const THEMES = { auto: "automatic", light: "light", dark: "dark" };
const THEME_KEY = "openresponses-theme";

function setTheme(theme) {
  const known = Object.hasOwn(THEMES, theme) ? theme : "auto";
  document.documentElement.dataset.theme = known;
  element("theme").textContent = `Theme: ${THEMES[known]}`;
  try {
    localStorage.setItem(THEME_KEY, known);
  } catch {
    // Where nothing may be stored, the choice lasts as long as the page.
  }
}

function storedTheme() {
  try {
    return localStorage.getItem(THEME_KEY) ?? "auto";
  } catch {
    return "auto";
  }
}

function setUpKeys() {
  document.addEventListener("keydown", (event) => {
    const isDialog = document.querySelector("dialog[open]") !== null;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !isDialog) {
      event.preventDefault();
      const form = element("view-conform").hidden ? "request" : "conform";
      if (!document.querySelector(`#${form} button[type=submit]`).disabled) element(form).requestSubmit();
    } else if (event.key === "Escape" && !isDialog) {
      running?.abort();
    }
  });
}

async function start() {
  setTheme(storedTheme());
  for (const list of document.querySelectorAll("[role=tablist]")) setUpTabs(list);
  setUpKeys();
  const order = Object.keys(THEMES);
  element("theme").addEventListener("click", () => {
    const next = order.indexOf(document.documentElement.dataset.theme) + 1;
    setTheme(order[next % order.length]);
  });
  element("help").addEventListener("click", () => element("shortcuts").showModal());
  element("request").addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  element("stop").addEventListener("click", () => running?.abort());
  element("conform").addEventListener("submit", (event) => {
    event.preventDefault();
    conform();
  });
  element("conform-stop").addEventListener("click", () => running?.abort());
  element("url").addEventListener("change", () => listTurns());
  element("copy-curl").addEventListener("click", () => copyProgram(curlOf, "the command"));
  element("copy-python").addEventListener("click", () => copyProgram(pythonOf, "the program"));
  element("copy-response").addEventListener("click", () => copy(pretty(shownResponse), "the response"));
  const answer = await fetch(new URL("page/settings", here), { credentials: "omit" });
  if (answer.ok) settings = await answer.json();
  element("url").value = element("conform-url").value = ownBase();
  element("page-key-field").hidden = element("conform-page-key-field").hidden = !settings.needs_key;
  document.documentElement.dataset.ready = "true";
}

start();
