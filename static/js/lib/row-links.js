// A row of a list leads where its link leads, wherever it is clicked; in a new tab with the keys and the button that links
// have.

const ROWS = { "tr[data-run-id]": ".time a", "tr[data-leads]": "a" }

function linkOf(target) {
  if (target.closest("a, button, input, label, summary, .pick") || getSelection().type === "Range") return null
  const kind = Object.keys(ROWS).find((rows) => target.closest(rows))
  return kind ? target.closest(kind).querySelector(ROWS[kind]) : null
}

function follow({ target, ctrlKey, metaKey, shiftKey }) {
  linkOf(target)?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey, metaKey, shiftKey }))
}

document.addEventListener("click", follow)
document.addEventListener("auxclick", ({ target, button }) => {
  if (button === 1) follow({ target, ctrlKey: true, metaKey: true, shiftKey: false })
})
