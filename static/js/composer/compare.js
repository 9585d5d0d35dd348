// The compare bench: what is typed in a column's head, which of its fields follow the form, and its figures.

import { change, touch } from "./form-draft.js"
import { fetchPart, toFragment } from "../lib/fragment.js"

const answer = document.getElementById("answer")
const bench = () => document.getElementById("compare")
let wanted = "" // where the focus goes when a press has been answered

// --- Fields that follow the form, or not ----------------------------------------------------------------------------

/** The row as its note says: the note is drawn again after every change, the control only while it follows the form. */
function showState(row) {
  const { own, wrong } = row.querySelector(".column-note").dataset
  const isOwn = own !== undefined
  row.toggleAttribute("data-own", isOwn)
  const link = row.querySelector(".column-link")
  link.setAttribute("aria-pressed", String(!isOwn))
  if (link.dataset.kind) link.dataset.op = isOwn ? "column-link" : "column-unlink"
  else link.disabled = !isOwn // another connection is chosen, not unlinked
  const control = row.querySelector("[data-control]")
  if (wrong === undefined) control.removeAttribute("aria-invalid")
  else control.setAttribute("aria-invalid", "true")
}

function showStates() {
  for (const row of answer.querySelectorAll("[data-row]")) showState(row)
}

answer.addEventListener("input", ({ target }) => {
  if (!target.matches("[data-control]")) return
  touch(target)
  target.closest("[data-row]").querySelector(".column-note").dataset.own = ""
  showState(target.closest("[data-row]"))
})

answer.addEventListener("change", ({ target }) => {
  const { columnChoice } = target.dataset
  if (!columnChoice || !target.value) return
  wanted = `[name="${CSS.escape(`:own ${columnChoice} ${target.value}`)}"]`
  change("column-unlink", columnChoice, { ":kind": target.value })
})

answer.addEventListener("click", ({ target }) => {
  const fill = target.closest("[data-fills]")
  if (!fill) return
  const control = document.getElementById(fill.dataset.for)
  control.value = fill.dataset.fills
  control.dispatchEvent(new Event("input", { bubbles: true }))
  control.focus()
})

// --- Requests -------------------------------------------------------------------------------------------------------

// Before the press is sent: which answer the first column begins with, and where the focus goes.
document.addEventListener(
  "click",
  ({ target }) => {
    const button = target.closest?.('[data-op^="column-"]')
    if (!button) return
    wanted = button.dataset.then ?? ""
    if (!button.matches(".compare-start")) return
    button.dataset.kind = answer.querySelector(".answer-panel")?.dataset.run ?? ""
  },
  true,
)

document.addEventListener("htmx:configRequest", ({ detail }) => {
  const shown = [...answer.querySelectorAll("#compare [data-column]")].map((column) => column.dataset.column)
  if (detail.elt.closest?.("#poster, #run, #import, #save, #tool-paste")) detail.formData.set(":columns", shown.join(" "))
})

const isPress = ({ requestConfig }) => String(requestConfig?.formData?.get(":op") ?? "").startsWith("column-")

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  // Who has gone elsewhere since the press stays there.
  const at = document.activeElement
  if (isPress(detail) && at !== document.body && !at?.matches('[data-op^="column-"], [data-column-choice]')) wanted = ""
})

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (bench()) {
    showStates()
    placeFigures()
    chooseView()
  }
  answer.closest(".workbench").toggleAttribute("data-comparing", bench() !== null)
  if (isPress(detail)) {
    lead(firstOf(wanted))
    wanted = ""
  }
  if (detail.elt.id === "run" && bench()) showWhatCame()
})

function showWhatCame() {
  const isHeldBack = bench().querySelector("#compare-said .problem") !== null
  const wrong = bench().querySelector("[aria-invalid]")
  if (isHeldBack && wrong) lead(reach(wrong))
}

/** Focus it, and show its whole column: of one that is half in sight a browser shows no more. */
function lead(element) {
  element?.focus()
  const column = element?.closest(".compare-column")
  if (!column) return
  const columns = column.parentElement
  const [own, frame] = [column, columns].map((box) => box.getBoundingClientRect())
  if (own.left < frame.left || own.right > frame.right) columns.scrollLeft += own.left - frame.left
}

/** The first of several selectors, in their order, that names something that can take the focus. */
function firstOf(selectors) {
  for (const selector of selectors.split(", ")) {
    const found = selector && document.querySelector(selector)
    if (found && !found.disabled && reach(found).checkVisibility()) return found
  }
  return null
}

/** The element itself, with the settings that hold it opened. */
function reach(element) {
  if (bench()?.contains(element)) document.dispatchEvent(new CustomEvent("view:wanted", { detail: "response" }))
  const settings = element.closest(".column-settings")
  if (settings && !element.matches("summary")) open(settings)
  return element
}

// --- The settings of a column: a sheet below its line -----------------------------------------------------------------

function open(settings) {
  for (const other of bench().querySelectorAll(".column-settings[open]")) other.open = other === settings
  settings.open = true
}

// A head that is drawn again keeps its sheet.
let opened = ""
document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (!detail.target.matches?.(".column-head")) return
  const settings = detail.target.querySelector(".column-settings[open]")
  if (settings) opened = settings.id
})
document.addEventListener("htmx:oobAfterSwap", () => {
  const settings = opened && document.getElementById(opened)
  if (settings) settings.open = true
  opened = ""
})

document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element) || !bench()) return
  const opener = target.closest("[data-opens-settings]")
  if (opener) {
    const settings = opener.closest(".column-head").querySelector(".column-settings")
    open(settings)
    settings.querySelector("[aria-invalid], .column-more").focus()
    return
  }
  const inside = target.closest(".column-settings")
  // What a press has taken out of the page since is no place outside.
  if (target.isConnected) for (const settings of bench().querySelectorAll(".column-settings[open]")) settings.open = settings === inside
})

document.addEventListener("keydown", (event) => {
  const settings = bench()?.querySelector(".column-settings[open]")
  if (event.key !== "Escape" || !settings || event.defaultPrevented) return
  event.preventDefault() // it closes the sheet, and stops no run
  settings.open = false
  settings.querySelector("summary").focus()
}, true)

// --- One set of tabs for all columns ----------------------------------------------------------------------------------

let view = "message"
function chooseView() {
  for (const tab of bench()?.querySelectorAll("[data-columns-view]") ?? []) {
    const isChosen = tab.dataset.columnsView === view
    tab.ariaSelected = String(isChosen)
    tab.tabIndex = isChosen ? 0 : -1
  }
  for (const tab of bench()?.querySelectorAll(`.column-answer [role="tab"][data-view="${view}"][aria-selected="false"]`) ?? []) tab.click()
}

answer.addEventListener("click", ({ target }) => {
  const tab = target.closest("[data-columns-view]")
  if (!tab) return
  view = tab.dataset.columnsView
  chooseView()
})
answer.addEventListener("keydown", (event) => {
  const tab = event.target.closest("[data-columns-view]")
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
  if (!tab || !by) return
  const tabs = [...tab.parentElement.querySelectorAll("[data-columns-view]")]
  event.preventDefault()
  const next = tabs.at((tabs.indexOf(tab) + by) % tabs.length)
  next.click()
  next.focus()
})

// --- Figures --------------------------------------------------------------------------------------------------------

let figuresTimer = 0
document.addEventListener("run:ended", () => {
  clearTimeout(figuresTimer)
  figuresTimer = setTimeout(showFigures, 150) // several columns often end together
})

async function showFigures() {
  const box = document.getElementById("compare-figures")
  if (!box) return
  const html = await fetchPart(box.dataset.figures).catch(() => "")
  if (!html) return
  box.replaceChildren(toFragment(html))
  placeFigures()
}

/** The figures come for all columns at once; each list stands under its column. */
function placeFigures() {
  for (const footer of bench()?.querySelectorAll("[data-footer-of]") ?? []) {
    // Of a run that goes on they know nothing yet: its own line says more, also until they are fetched again.
    if (footer.closest("[data-column]").querySelector("[data-socket]")) {
      footer.replaceChildren()
      continue
    }
    const list = document.querySelector(`#compare-figures [data-figures-of="${footer.dataset.footerOf}"]`)
    if (!list) continue
    const copy = list.cloneNode(true)
    copy.classList.remove("htmx-added") // which htmx takes off the original alone
    footer.replaceChildren(copy)
  }
}

showStates()
placeFigures()
