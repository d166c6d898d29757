package catalog

import (
	"slices"
	"sync/atomic"
)

// maxAllowed bounds how many callers a target remembers: an API's methods that
// share a function are callers of their own.
const maxAllowed = 64

// allowed remembers which services a target's policy has let in. Policies are
// part of the target and what they are asked about a service is in the call,
// so the answer stays the same.
type allowed struct{ callers atomic.Pointer[[]visitor] }

// visitor is all of a call that a policy is asked about.
type visitor struct{ function, principal, sourceARN, sourceAccount string }

func visitorOf(call *Call) visitor {
	return visitor{call.FunctionARN, call.Principal, call.SourceARN, call.SourceAccount}
}

func (a *allowed) knows(call *Call) bool {
	list := a.callers.Load()
	return list != nil && slices.Contains(*list, visitorOf(call))
}

func (a *allowed) learn(call *Call) {
	for {
		old := a.callers.Load()
		list := []visitor{visitorOf(call)}
		if old != nil {
			if len(*old) >= maxAllowed {
				return
			}
			list = append(list, *old...)
		}
		if a.callers.CompareAndSwap(old, &list) {
			return
		}
	}
}
