// Put each problem of the body at its field. The server lists them all; here they find their places.

const LAST_STEP = /(?:\.?[A-Za-z_][\w-]*|\[(?:\d+|"(?:[^"\\]|\\.)*")\])$/

// A turn that was added just now is empty, and need not be told: it waits until the reader has left it or sends.
let isAdding = false
let fresh = ""
/** The next change adds a turn. */
export const expectTurn = () => (isAdding = true)
/** A change led to this place: if it added a turn, that is where. */
export function welcome(place) {
  if (isAdding) fresh = /^messages\[\d+\]/.exec(place)?.[0] ?? ""
  isAdding = false
}
const isSpared = (path) => fresh !== "" && path.startsWith(fresh)
function spareNothing() {
  if (!fresh) return
  fresh = ""
  placeProblems()
}
document.addEventListener("focusout", () =>
  setTimeout(() => {
    const at = document.activeElement
    if (fresh && at !== document.body && !at.closest(`[data-place="${CSS.escape(fresh)}"]`)) spareNothing()
  }),
)
document.addEventListener("submit", ({ target }) => target.id === "run" && spareNothing(), true)

function slotFor(path) {
  for (let at = path; ; at = at.replace(LAST_STEP, "")) {
    const slot = document.querySelector(`#ask [data-problems="${CSS.escape(at)}"]`)
    if (slot || at === "") return slot
  }
}

function clear() {
  for (const slot of document.querySelectorAll("#ask .problems")) slot.replaceChildren()
  for (const field of document.querySelectorAll("#ask [aria-invalid]")) {
    field.removeAttribute("aria-invalid")
    field.removeAttribute("aria-describedby")
  }
  for (const part of document.querySelectorAll("#ask [data-invalid]")) part.removeAttribute("data-invalid")
}

export function placeProblems() {
  clear()
  const everything = document.querySelector("#ask [data-all-problems]")
  everything?.replaceChildren()
  const annotations = []
  let number = 0
  for (const item of document.querySelectorAll("#problem-list > li")) {
    const { path, severity, line } = item.dataset
    const slot = everything ?? slotFor(path)
    if (!slot || (!everything && isSpared(path))) continue
    const shown = document.createElement("div")
    shown.className = "problem"
    shown.id = `problem-${(number += 1)}`
    Object.assign(shown.dataset, item.dataset)
    shown.append(...[...item.childNodes].map((node) => node.cloneNode(true)))
    slot.append(shown)
    if (line) annotations.push({ row: line - 1, column: 0, text: shown.querySelector("span").textContent, type: severity })
    if (severity === "error") markInvalid(slot, path, shown.id)
  }
  document.querySelector("json-editor[data-tall]")?.annotate?.(annotations)
  for (const editor of document.querySelectorAll("#ask json-editor:not([data-tall])")) markLines(editor)
}

/** A schema's own editor: text that is no JSON says its line in the message. */
function markLines(editor) {
  const name = editor.querySelector("textarea").name
  const marks = []
  for (const { dataset, textContent } of document.querySelectorAll("#problem-list > li")) {
    const line = dataset.path === name ? /line (\d+)/.exec(textContent)?.[1] : null
    if (line) marks.push({ row: line - 1, column: 0, text: textContent.trim(), type: dataset.severity })
  }
  editor.annotate?.(marks)
}

function markInvalid(slot, path, id) {
  const field = document.querySelector(`#ask [data-control][name="${CSS.escape(path)}"]`)
  if (field) {
    field.setAttribute("aria-invalid", "true")
    field.setAttribute("aria-describedby", [field.getAttribute("aria-describedby"), id].filter(Boolean).join(" "))
  }
  slot.closest(".param, .trio-item")?.setAttribute("data-invalid", "")
  for (let fold = slot.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.dataset.invalid = ""
}

/** The ticks in the margin: which parameters are in the body. */
export function placeTicks({ set = "" }) {
  const names = new Set(set.split("\n"))
  for (const param of document.querySelectorAll("#ask [data-param]")) param.toggleAttribute("data-set", names.has(param.dataset.param))
}

// From one problem to the next, and round again.
document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-next-problem]")
  if (!button) return
  spareNothing()
  const shown = [...document.querySelectorAll(`#ask .problem[id][data-severity="${button.dataset.nextProblem}"]`)]
  if (!shown.length) return
  const next = shown[(Number(button.dataset.at ?? -1) + 1) % shown.length]
  button.dataset.at = String(shown.indexOf(next))
  for (let fold = next.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true
  next.tabIndex = -1
  next.focus()
  next.scrollIntoView({ block: "center" })
})
