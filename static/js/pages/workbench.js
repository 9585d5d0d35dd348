// The frame of the playground: the splitter between its panes, the rail, the two views of a phone, the run line, and what
// the response pane shows before the first run.

import { showShortcuts } from "./shortcuts.js"
import { fetchPart, fill, toFragment } from "../lib/fragment.js"

const root = document.documentElement
const bench = document.querySelector(".workbench")
const splitter = document.getElementById("splitter")
const reply = document.getElementById("response")
const answer = document.getElementById("answer")
const run = document.getElementById("run")
const snippets = document.getElementById("snippets")
const narrow = matchMedia("(width < 56rem)")

/** The panels of the response pane. Looked up child by child: a response can have a hundred thousand elements. */
function panels() {
  const first = answer.firstElementChild
  if (first?.matches(".answer-panel")) return [first]
  if (first?.matches(".answer-example")) return [first.querySelector(".answer-panel")]
  const columns = [...(document.getElementById("compare-columns")?.children ?? [])]
  return columns.map((column) => column.querySelector(".column-answer").firstElementChild).filter(Boolean)
}
const isComparing = () => answer.firstElementChild?.id === "compare"
const isRunning = () => panels().some((panel) => "socket" in panel.dataset)

// --- The splitter ---------------------------------------------------------------------------------------------------

const least = 320
const most = 720
const foldBelow = 240

function formWidth() {
  return document.getElementById("ask").offsetWidth
}

function setWidth(px) {
  if (px < foldBelow) return fold(true)
  const width = Math.round(Math.max(least, Math.min(most, window.innerWidth - 420, px)))
  root.style.setProperty("--form", `${width}px`)
  localStorage.setItem("form-width", width)
  tellWidth()
}

function tellWidth() {
  splitter.setAttribute("aria-valuenow", String(Math.round(formWidth())))
}

function forgetWidth() {
  localStorage.removeItem("form-width")
  root.style.removeProperty("--form")
  tellWidth()
}

splitter.addEventListener("pointerdown", (event) => {
  splitter.setPointerCapture(event.pointerId)
  splitter.dataset.dragging = ""
  event.preventDefault()
})
splitter.addEventListener("pointermove", (event) => {
  if ("dragging" in splitter.dataset) setWidth(event.clientX - bench.getBoundingClientRect().left)
})
for (const end of ["pointerup", "pointercancel"]) splitter.addEventListener(end, () => delete splitter.dataset.dragging)
splitter.addEventListener("dblclick", forgetWidth)
splitter.addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -24, ArrowRight: 24 }[event.key]
  const ends = { Home: least, End: most }[event.key]
  if (by) setWidth(formWidth() + by)
  else if (ends) setWidth(ends)
  else if (event.key === "Enter") fold(true)
  else return
  event.preventDefault()
})
tellWidth()

// --- The rail: the form folded away ---------------------------------------------------------------------------------

const isFolded = () => root.hasAttribute("data-folded")

/** While columns are compared the form is folded for their sake only: that is not remembered. */
function fold(isToBeFolded, { remembers = !isComparing(), focuses = true } = {}) {
  root.toggleAttribute("data-folded", isToBeFolded)
  if (remembers && isToBeFolded) localStorage.setItem("form-folded", "1")
  else if (remembers) localStorage.removeItem("form-folded")
  if (focuses && isToBeFolded) bench.querySelector(".rail [data-unfold]").focus()
  if (focuses && !isToBeFolded) document.querySelector("[data-fold-form]").focus()
}

function unfold(name) {
  fold(false)
  const group = name && document.querySelector(`#ask [data-group="${name}"]`)
  if (!group) return
  if (group.matches("details")) group.open = true
  const head = group.querySelector("summary") ?? group
  head.focus()
  head.scrollIntoView({ block: "start" })
}

let wasComparing = false
function followComparing() {
  const now = isComparing()
  if (now === wasComparing) return
  wasComparing = now
  bench.toggleAttribute("data-comparing", now)
  if (narrow.matches) return now && show("response")
  if (now) fold(true, { remembers: false, focuses: false })
  else fold(localStorage.getItem("form-folded") !== null, { remembers: false, focuses: false })
}

document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element)) return
  if (target.closest("[data-fold-form]")) fold(true)
  const opener = target.closest("[data-unfold]")
  if (opener) unfold(opener.dataset.unfold)
  if (target.closest("[data-shows-shortcuts]")) showShortcuts()
})

document.addEventListener("keydown", (event) => {
  if (event.key !== "[" || event.ctrlKey || event.metaKey || event.altKey || narrow.matches) return
  if (event.target.closest?.("input, textarea, select, [contenteditable], dialog, .ace_editor")) return
  event.preventDefault()
  fold(!isFolded())
})

// --- A phone shows one pane at a time -------------------------------------------------------------------------------

function show(view) {
  bench.dataset.view = view
  document.querySelector(`.view-switch [value="${view}"]`).checked = true
}

document.querySelector(".view-switch").addEventListener("change", ({ target }) => show(target.value))
// The response is in view before the request is on its way: the press has done something.
run.addEventListener("htmx:beforeRequest", ({ target }) => target === run && show("response"))
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.elt !== run) return
  const isHeldBack = detail.xhr.getResponseHeader("HX-Reswap") === "none" && !isComparing()
  if (isHeldBack) show("request")
})
document.addEventListener("view:wanted", ({ detail }) => show(detail))
// Where the focus is led to, the view follows.
document.addEventListener("focusin", ({ target }) => {
  if (!narrow.matches) return
  if (target.closest("#ask")) show("request")
  else if (target.closest("#response")) show("response")
})
document.addEventListener("click", ({ target }) => {
  if (target.closest?.('.skip-link[href="#ask"], .skip-link[href="#response"]')) show(target.hash === "#ask" ? "request" : "response")
})

// --- The run line ---------------------------------------------------------------------------------------------------

const tryButton = document.getElementById("try-it")
const stopButton = run.querySelector("[data-stop-run]")
/** Stop takes the place of Try It!, and the focus with it. */
function followRun() {
  const now = isRunning()
  if (now === run.hasAttribute("data-running")) return
  const hadFocus = run.contains(document.activeElement) && document.activeElement.closest(".run-joined") !== null
  run.toggleAttribute("data-running", now)
  stopButton.disabled = !now
  bench.toggleAttribute("data-running", now)
  if (hadFocus) (now ? stopButton : tryButton).focus({ preventScroll: true })
}

stopButton.addEventListener("click", stop)
function stop() {
  for (const panel of panels()) panel.querySelector("[data-stop]")?.click()
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isRunning() && !document.querySelector("dialog[open], details.menu[open]")) stop()
})

/** On a phone the bar tells how far the run has come, whenever the figures above it change: two clocks that differ would
 * be one too many. */
function tellProgress() {
  const time = run.querySelector("[data-progress-time]")
  const line = panels().find((panel) => "socket" in panel.dataset)?.querySelector(".figure-line")
  if (!line) return
  const clock = line.querySelector("[data-clock]")
  time.textContent = clock?.textContent ?? ""
  const out = line.querySelector(".figure-out dd")
  const words = out ? `${out.textContent} tokens` : "waiting for first token"
  const place = run.querySelector("[data-progress-words]")
  if (place.textContent !== words) place.textContent = words
}

// --- What the response pane shows -----------------------------------------------------------------------------------

function followPanel() {
  followRun()
  followComparing()
  const [panel] = panels()
  const isStart = panel?.dataset.state === "none"
  reply.toggleAttribute("data-first-visit", isStart)
  const code = isComparing() ? null : panel?.querySelector(":scope > .reply-head .code-tab")
  const hidesCode = !isStart && code?.ariaSelected !== "true"
  if (snippets.hidden !== hidesCode) snippets.hidden = hidesCode
  if (narrow.matches && run.hasAttribute("data-running")) tellProgress()
}
new MutationObserver(followPanel).observe(answer, {
  childList: true,
  subtree: true,
  attributes: true,
  attributeFilter: ["data-socket", "data-state"],
})
document.addEventListener("tab:selected", followPanel)
followPanel()

// --- A response to an earlier version of the request ------------------------------------------------------------------

const SENT = "requests-sent" // run -> digest of the request it was sent with, in this tab
const digestsSent = () => JSON.parse(sessionStorage.getItem(SENT) ?? "{}")
let runsBefore = new Set() // those on the page when the request was sent

/** What would be sent in the place of the panel's response: the form's request, and what its column sets itself. */
function currentDigest(panel) {
  const digest = document.getElementById("draft-state")?.dataset.request
  const column = panel.closest(".compare-column")
  const own = column?.querySelectorAll(".column-pick .mono, .column-differs .chip > span") ?? []
  return [digest, ...[...own].map(({ textContent }) => textContent)].join(" ")
}

const runsShown = () => panels().map((panel) => panel.dataset.run).filter(Boolean)

function rememberSent() {
  const sent = panels().filter(({ dataset }) => dataset.run && !runsBefore.has(dataset.run))
  const kept = Object.entries(digestsSent()).slice(-50)
  const more = sent.map((panel) => [panel.dataset.run, currentDigest(panel)])
  sessionStorage.setItem(SENT, JSON.stringify(Object.fromEntries([...kept, ...more])))
}

function followRequest() {
  const digests = digestsSent()
  for (const panel of panels()) {
    const digest = panel.dataset.run && digests[panel.dataset.run]
    markStale(panel, Boolean(digest) && digest !== currentDigest(panel) && !("socket" in panel.dataset))
  }
}

function markStale(panel, isStale) {
  panel.toggleAttribute("data-stale", isStale)
  const strip = panel.querySelector(":scope > .strip-stale")
  if (!isStale) strip?.remove()
  else if (!strip) {
    const fresh = document.getElementById("stale-strip").content.firstElementChild.cloneNode(true)
    // A column's request is not the form's alone: to compare it with that, or put it there, would mislead.
    if (isComparing()) for (const button of fresh.querySelectorAll("button")) button.remove()
    panel.querySelector(":scope > .figures").after(fresh)
  }
}

const ofRun = (panel, part) => new URL(`../${part}/`, new URL(panel.dataset.panel, location.href)).pathname

async function showDifference(panel) {
  const dialog = document.getElementById("difference-dialog")
  const html = await fetchPart(ofRun(panel, "difference")).catch(() => "")
  fill(dialog.querySelector("[data-difference]"), html || document.getElementById("not-loaded").innerHTML)
  dialog.showModal()
}

/** From now on the response is of no earlier version. */
function forgetSent(panel) {
  const sent = digestsSent()
  delete sent[panel?.dataset.run]
  sessionStorage.setItem(SENT, JSON.stringify(sent))
}

async function restoreRequest(panel) {
  forgetSent(panel)
  window.htmx.ajax("POST", ofRun(panel, "open"), { source: "#poster", swap: "none" })
}

document.addEventListener("htmx:beforeSend", ({ detail }) => {
  if (detail.elt === run) runsBefore = new Set(runsShown())
})
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.elt === run && detail.successful) rememberSent()
  followRequest()
})
document.addEventListener("run:ended", followRequest)
// A response that was added to the request is a part of it.
document.addEventListener("answer:added", ({ target }) => forgetSent(target.closest?.(".answer-panel") ?? panels()[0]))
document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-restore-request], [data-shows-difference]")
  const panel = button?.closest(".answer-panel")
  if (panel) "restoreRequest" in button.dataset ? restoreRequest(panel) : showDifference(panel)
})
followRequest()

// --- Recent Requests: a visitor's list is fetched again; a user's comes over a socket --------------------------------

const recent = document.getElementById("recent-requests")
let recentTimer = 0

async function refreshRecent() {
  const html = await fetchPart(recent.parentElement.getAttribute("hx-get")).catch(() => "")
  const body = recent.querySelector("[data-log-rows]")
  const fresh = html && [...toFragment(html).querySelectorAll("[data-log-rows] > tr")]
  if (!body || !fresh) return
  for (const row of fresh.reverse()) {
    const known = body.querySelector(`[data-run-id="${CSS.escape(row.dataset.runId)}"]`)
    if (known) known.replaceWith(row)
    else body.prepend(row)
  }
  if (fresh.length) recent.querySelector("[data-empty]")?.remove()
}

function refreshRecentSoon() {
  if (recent.dataset.socket) return
  clearTimeout(recentTimer)
  recentTimer = setTimeout(refreshRecent, 150)
}
document.addEventListener("run:ended", refreshRecentSoon)
document.addEventListener("htmx:afterRequest", ({ detail }) => detail.requestConfig?.verb === "post" && refreshRecentSoon())
