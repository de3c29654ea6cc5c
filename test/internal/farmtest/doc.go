// Package farmtest runs farms of real processes for tests.
//
// It builds the four programs once, starts them at addresses that no other farm uses, keeps what they write, and
// waits for what a test expects them to write. No process outlives its test.
package farmtest
