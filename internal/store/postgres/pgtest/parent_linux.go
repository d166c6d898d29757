package pgtest

import "syscall"

// dieWithParent keeps a test that is killed from leaving its server behind.
func dieWithParent(attr *syscall.SysProcAttr) {
	attr.Pdeathsig = syscall.SIGQUIT
}
