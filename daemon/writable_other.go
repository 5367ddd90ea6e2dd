//go:build !unix

package daemon

// stderrWritable never knows: a Windows console in which a person has selected text
// holds up every write.
func stderrWritable() bool { return false }
