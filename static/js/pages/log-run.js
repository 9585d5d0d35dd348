// One run's page: j and k step to older and newer runs, what is shown can be copied, a new run is gone to.

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]")
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return
  const way = { j: "older", k: "newer" }[event.key]
  if (way) document.querySelector(`[data-step="${way}"]`)?.click()
})

// Running again, going on or answering tools makes a new run: it has a page of its own.
document.addEventListener("htmx:afterSwap", () => {
  const shown = document.querySelector("[data-run-page]")?.dataset.runPage
  const panels = document.querySelectorAll("#answer .answer-panel")
  const now = panels.length === 1 ? panels[0].dataset.run : null // several stand beside each other here
  if (shown && now && now !== shown) location.assign(`${document.documentElement.dataset.root}requests/${encodeURIComponent(now)}/`)
})

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copies]")
  const source = button && document.getElementById(button.dataset.copies)
  if (!source) return
  await navigator.clipboard.writeText(source.textContent)
  button.dataset.copied = ""
  setTimeout(() => delete button.dataset.copied, 1_500)
})
