package logtext

const dontWait = 0 // it has no such flag
