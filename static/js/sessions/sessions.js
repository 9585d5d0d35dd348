// The list of sessions: fetched again, filter and all, when one of the owner's requests begins or ends.

import { LiveSocket } from "../lib/live-socket.js"

const page = document.querySelector("[data-sessions]")
const tag = page.querySelector("[data-live-tag]")
let timer = 0

new LiveSocket(page.dataset.socket, {
  frame: refreshSoon,
  live: (isLive) => {
    tag.hidden = !isLive
  },
  back: refreshSoon,
})

function refreshSoon() {
  clearTimeout(timer)
  timer = setTimeout(refresh, 1_000)
}

page.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copies]")
  const source = button && document.getElementById(button.dataset.copies)
  if (source) await navigator.clipboard.writeText(source.textContent)
})

function refresh() {
  const isReading = page.querySelectorAll("#sessions tbody tr").length > 51 || document.activeElement?.closest("#sessions") || page.querySelector("#agent-lines")?.textContent.includes("mpk_") && !page.querySelector("#session-start form")
  if (!isReading) window.htmx.ajax("GET", location.pathname + location.search, { target: "#sessions", swap: "outerHTML" })
}
