// Forms about connections and keys: copy a secret that is shown once, remove a header's row.

async function copy(button) {
  const field = document.getElementById(button.dataset.copies)
  const words = button.querySelector("[data-copy-words]")
  try {
    await navigator.clipboard.writeText(field.value)
    words.textContent = "Copied"
  } catch {
    // Without https there is no clipboard for scripts: leave it selected, one key press from copied.
    field.focus()
    field.select()
    words.textContent = "Press Ctrl+C"
  }
}

// A value that may be shown is typed where it can be read.
document.addEventListener("change", (event) => {
  if (!(event.target instanceof HTMLSelectElement) || !("hidesValue" in event.target.dataset)) return
  const field = event.target.closest("[data-row]").querySelector('[name="header_value"]')
  field.type = event.target.value === "no" ? "text" : "password"
})

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button") : null
  if (!button) return
  if ("copies" in button.dataset) copy(button)
  if ("removesRow" in button.dataset) {
    const row = button.closest("[data-row]")
    const next = row.nextElementSibling ?? row.previousElementSibling
    row.remove()
    next?.querySelector('[name="header_name"]')?.focus()
  }
})
