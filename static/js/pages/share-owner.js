// Copies the link of a share. The button says that it did.

document.addEventListener("click", async ({ target }) => {
  const button = target instanceof Element ? target.closest("[data-copy-value]") : null
  if (!button) return
  const field = document.getElementById(button.dataset.copyValue)
  field.select()
  try {
    await navigator.clipboard.writeText(field.value)
    button.lastChild.textContent = " Copied"
  } catch {
    button.lastChild.textContent = " Press Ctrl+C"
  }
})
