// A conversation that was saved or renamed: its address, its name in the title, and the dialog that asked for it.

const root = document.documentElement

document.addEventListener("conversation:named", ({ detail: { id, address, title } }) => {
  root.dataset.conversation = id
  if (location.pathname !== address) history.replaceState(history.state, "", address)
  document.title = `${title} · Messages Playground`
  document.getElementById("page-title").textContent = title
})

// The dialog is drawn anew with the name in it, which closes it too. Until then it is not sent twice.
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.elt.matches?.("#save, #rename") && !detail.successful) detail.elt.closest("dialog").close()
})
document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element) || !target.closest('[data-opens="name-dialog"]')) return
  const field = document.getElementById("conversation-name")
  field?.focus()
  field?.select()
})
