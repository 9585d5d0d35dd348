// The request log: lines that appear by themselves, the selection, the filter's address.

import { isFinal, tooMany } from "../lib/close-codes.js"
import { closeSocket } from "../lib/close-socket.js"
import { toFragment } from "../lib/fragment.js"

const firstDelay = 500
const longestDelay = 15_000

/** Lines of one log, kept up to date over a websocket. */
class LiveLog {
  #delay = firstDelay
  #socket = null
  #closed = false
  #seen = 0
  #timer = 0

  constructor(root) {
    this.root = root
    this.most = Number(root.dataset.most) || Infinity
    this.#connect()
  }

  close() {
    this.#closed = true
    clearTimeout(this.#timer)
    closeSocket(this.#socket)
  }

  #connect() {
    this.#socket = new WebSocket(new URL(this.root.dataset.socket, location.href.replace(/^http/, "ws")))
    this.#socket.addEventListener("open", () => {
      this.#delay = firstDelay
      showLive(true)
    })
    this.#socket.addEventListener("message", ({ data }) => this.#take(JSON.parse(data)))
    this.#socket.addEventListener("close", ({ code }) => {
      showLive(false)
      if (this.#closed || isFinal(code)) return
      if (code === tooMany) this.#delay = longestDelay // the handshake itself succeeds
      this.#timer = setTimeout(() => this.#connect(), this.#delay)
      this.#delay = Math.min(longestDelay, this.#delay * 2)
    })
  }

  #take(frame) {
    const known = this.root.querySelector(`[data-run-id="${CSS.escape(frame.id)}"]`)
    if (frame.type === "gone") known?.remove()
    else if (frame.type === "row") this.#put(known, frame.html)
    this.#acknowledge(frame.frame)
  }

  #put(known, html) {
    const row = toFragment(`<table><tbody>${html}</tbody></table>`).querySelector("tr")
    const body = this.root.querySelector("tbody[data-log-rows], #log-rows")
    if (!row || !body) return
    this.root.querySelector("[data-empty]")?.remove()
    if (known) {
      const box = known.querySelector(".pick input")
      const fresh = row.querySelector(".pick input")
      if (box && fresh) fresh.checked = box.checked
      known.replaceWith(row)
    } else {
      // Ids begin with the time: the newest stands on top, whatever order the news came in.
      const below = [...body.querySelectorAll("tr[data-run-id]")].find((other) => other.dataset.runId < row.dataset.runId)
      const isOlderThanAll = !below && body.querySelector("tr[data-run-id]")
      if (isOlderThanAll) return
      body.insertBefore(row, below ?? body.firstChild)
    }
    const rows = body.querySelectorAll("tr[data-run-id]")
    for (const extra of [...rows].slice(this.most)) extra.remove()
  }

  #acknowledge(frame) {
    const isWaiting = this.#seen > 0
    this.#seen = frame
    if (!isWaiting)
      setTimeout(() => {
        if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ type: "seen", frame: this.#seen }))
        this.#seen = 0
      }, 150)
  }
}

function showLive(isLive) {
  const tag = document.querySelector("[data-live-tag]")
  if (tag) tag.hidden = !isLive
}

let log = null

function start() {
  const root = document.querySelector("[data-live-log]")
  if (log?.root === root) return
  log?.close()
  log = root ? new LiveLog(root) : null
  if (!root) showLive(false)
}

// --- The selection ---

const picks = () => [...document.querySelectorAll("#log-rows .pick input")]

function tellSelection() {
  const count = picks().filter((box) => box.checked).length
  const told = document.querySelector("[data-selected]")
  if (told) told.textContent = `${count} selected`
  for (const button of document.querySelectorAll("[data-needs]")) button.disabled = count !== Number(button.dataset.needs)
  const all = document.querySelector("[data-select-all]")
  if (all) {
    all.checked = count > 0 && count === picks().length
    all.indeterminate = count > 0 && !all.checked
  }
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-select-all]")) for (const box of picks()) box.checked = target.checked
  if (target.closest(".pick")) tellSelection()
})

document.addEventListener("click", ({ target }) => {
  if (!target.closest("[data-select-none]")) return
  for (const box of picks()) box.checked = false
  tellSelection()
})

// --- A row leads to its request wherever it is clicked, in a new tab with the keys that links have ---

document.addEventListener("click", ({ target, ctrlKey, metaKey, shiftKey }) => {
  if (target.closest("a, button, input, label, summary, .pick") || getSelection().type === "Range") return
  const link = target.closest("tr[data-run-id]")?.querySelector(".time a")
  link?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey, metaKey, shiftKey }))
})

// --- The filter: only what is set goes into the address; what is exported is what is shown ---

document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (!detail.elt.matches("[data-filters]")) return
  for (const [name, value] of [...detail.formData.entries()]) if (value === "") detail.formData.delete(name)
})

document.addEventListener("htmx:pushedIntoHistory", () => {
  for (const link of document.querySelectorAll("[data-export]")) {
    const query = new URLSearchParams(location.search)
    query.set("format", link.dataset.export)
    link.search = query
  }
})

document.addEventListener("htmx:load", () => {
  start()
  tellSelection()
})
start()
tellSelection()
