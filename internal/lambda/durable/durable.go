// Package durable brings what was written to a folder to the disk.
package durable
