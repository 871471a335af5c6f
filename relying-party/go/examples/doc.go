// Package examples has API servers that check tokens, and the tests that run them.
package examples
