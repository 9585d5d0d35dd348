// The list of sessions: fetched again, filter and all, when one of the owner's requests begins or ends.

const page = document.querySelector("[data-sessions]")
const tag = page.querySelector("[data-live-tag]")
let timer = 0

const socket = new WebSocket(new URL(page.dataset.socket, location.href.replace(/^http/, "ws")))
socket.addEventListener("open", () => {
  tag.hidden = false
})
socket.addEventListener("close", () => {
  tag.hidden = true
})
socket.addEventListener("message", ({ data }) => {
  const frame = JSON.parse(data)
  socket.send(JSON.stringify({ type: "seen", frame: frame.frame }))
  clearTimeout(timer)
  timer = setTimeout(refresh, 1_000)
})

page.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copies]")
  const source = button && document.getElementById(button.dataset.copies)
  if (source) await navigator.clipboard.writeText(source.textContent)
})

function refresh() {
  const isReading = page.querySelectorAll("#sessions tbody tr").length > 51 || document.activeElement?.closest("#sessions") || page.querySelector("#agent-lines")?.textContent.includes("mpk_") && !page.querySelector("#session-start form")
  if (!isReading) window.htmx.ajax("GET", location.pathname + location.search, { target: "#sessions", swap: "outerHTML" })
}
