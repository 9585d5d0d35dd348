// The request log: lines that appear by themselves, the selection, the filter's address.

import { LiveSocket } from "../lib/live-socket.js"
import { toFragment } from "../lib/fragment.js"
import { afterPress } from "../lib/press.js"

/** Lines of one log, kept up to date over a websocket. */
class LiveLog {
  #socket

  constructor(root) {
    this.root = root
    this.most = Number(root.dataset.most) || Infinity
    this.#socket = new LiveSocket(root.dataset.socket, {
      frame: (frame) => this.#take(frame),
      live: showLive,
      back: () => this.#fetch(),
    })
  }

  close() {
    this.#socket.close()
  }

  /** Puts in the lines that were missed; what is selected or scrolled to stays. */
  async #fetch() {
    const answer = await fetch(this.root.closest("[hx-get]")?.getAttribute("hx-get") ?? location.href, {
      headers: { "HX-Request": "true" },
    }).catch(() => null)
    if (!answer?.ok) return
    const rows = toFragment(await answer.text()).querySelectorAll("tr[data-run-id]")
    await afterPress(() => rows.forEach((row) => this.#put(this.#row(row.dataset.runId), row.outerHTML)))
  }

  #row(id) {
    return this.root.querySelector(`[data-run-id="${CSS.escape(id)}"]`)
  }

  #take(frame) {
    if (frame.type === "gone") this.#row(frame.id)?.remove()
    else if (frame.type === "row") this.#put(this.#row(frame.id), frame.html)
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
  for (const button of document.querySelectorAll("[data-needs]")) {
    button.disabled = count !== Number(button.dataset.needs)
    button.title = button.disabled ? button.dataset.needsWords : ""
  }
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
