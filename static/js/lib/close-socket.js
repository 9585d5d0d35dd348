/** Close this socket, one that is still connecting once it is open: browsers report a close before that as a failure. */
export function closeSocket(socket) {
  if (socket?.readyState === WebSocket.CONNECTING) socket.addEventListener("open", () => socket.close())
  else socket?.close()
}
