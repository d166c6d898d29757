package function

// The members of Lambda's ThrottleReason enumeration that the engine uses.
const (
	reasonAccount  = "ConcurrentInvocationLimitExceeded"
	reasonReserved = "ReservedFunctionConcurrentInvocationLimitExceeded"
)

// accountKey names one pool of concurrency: AWS counts per account and region.
type accountKey struct{ account, region string }

// account counts the executions that are under way ("Understanding Lambda
// function scaling"). Functions with reserved concurrency have their own
// count, and what they reserve is taken from the rest, used or not. So is
// provisioned concurrency.
type account struct {
	unreserved  int // under way, of functions without a reservation
	provisioned int // of functions without a reservation
	functions   map[string]*reservation
}

type reservation struct {
	limit    int
	inFlight int
}

// account is the account that a function counts in; e.mu is held.
func (e *Engine) account(spec *Spec) *account {
	key := accountKey{spec.Account, spec.Region}
	a := e.accounts[key]
	if a == nil {
		a = &account{functions: map[string]*reservation{}}
		e.accounts[key] = a
	}
	return a
}

// enter counts one execution in or refuses it; e.mu is held. Once it has ended,
// it has to be taken off the count that enter returns. A version's
// provisioned concurrency is used first. The reservation is read from the Spec
// at hand, so the newest one seen counts for all versions of a function.
func (e *Engine) enter(spec *Spec) (counted *int, err error) {
	if p := e.pools[spec.ID]; p != nil && p.inProvisioned < p.provisioned {
		p.inProvisioned++
		return &p.inProvisioned, nil
	}
	a := e.account(spec)
	if spec.Concurrency >= 0 {
		r := a.functions[spec.Name]
		if r == nil {
			r = &reservation{}
			a.functions[spec.Name] = r
		}
		r.limit = spec.Concurrency
		if r.inFlight >= r.limit-spec.FunctionProvisioned {
			return nil, &ThrottledError{Reason: reasonReserved}
		}
		r.inFlight++
		return &r.inFlight, nil
	}
	if r := a.functions[spec.Name]; r != nil {
		r.limit = 0 // the reservation was taken back
	}
	limit := e.cfg.Concurrency - a.provisioned
	for _, r := range a.functions {
		limit -= r.limit
	}
	if a.unreserved >= limit {
		return nil, &ThrottledError{Reason: reasonAccount}
	}
	a.unreserved++
	return &a.unreserved, nil
}
