// Saved tools, and pasted ones: the dialog closes when they are added; a problem is shown where it is in the text.

import { post } from "./form-draft.js"

const dialog = () => document.getElementById("tool-dialog")
const text = () => document.getElementById("tool-text")

document.addEventListener("tools:added", () => {
  if (!dialog()?.open) return
  dialog().close()
  dialog().querySelector("form").reset()
  document.getElementById("tool-problem").replaceChildren()
})

document.addEventListener("paste:problem", ({ detail: { line, column } }) => {
  const field = text()
  const lines = field.value.split("\n")
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0) + Math.max(0, column - 1)
  field.setAttribute("aria-invalid", "true")
  field.focus()
  field.setSelectionRange(start, Math.min(field.value.length, start + 1))
})

document.addEventListener("input", ({ target }) => {
  if (target.id !== "tool-text") return
  target.removeAttribute("aria-invalid")
  document.getElementById("tool-problem").replaceChildren()
})

document.addEventListener("click", ({ target }) => {
  const ask = document.getElementById("ask")
  const saves = target.closest?.("[data-save-tool]")
  if (saves) post(ask.dataset.saveToolUrl, { ":path": saves.dataset.saveTool })
  const inserts = target.closest?.("[data-insert-tool]")
  if (inserts) post(ask.dataset.insertToolUrl, { ":tool": inserts.dataset.insertTool })
})
