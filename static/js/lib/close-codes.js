// Why a websocket was closed, as playground/sockets/close_codes.py has it.

export const sessionEnded = 4001
export const badFrames = 4400
export const tooMany = 4429 // as many sockets are open as one person may have; one may become free

/** After these a page does not connect again. */
export const isFinal = (code) => [1000, sessionEnded, badFrames].includes(code)
