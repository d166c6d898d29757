package function

import "slices"

// Provisioned concurrency: sandboxes of a version that are started before
// anybody calls, and kept ("Configuring provisioned concurrency").

const initProvisioned = "provisioned-concurrency"

// Provision keeps as many sandboxes of a version ready as spec.Provisioned
// says; 0 lets them go when they are idle. It doesn't wait.
func (e *Engine) Provision(spec *Spec) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	if e.pools[spec.ID] == nil && spec.Provisioned == 0 {
		return
	}
	p := e.poolOf(spec)
	carved := 0
	if spec.Concurrency < 0 { // else it is part of the function's reservation
		carved = spec.Provisioned
	}
	e.account(spec).provisioned += carved - p.carved
	p.carved = carved
	if p.provisioned != spec.Provisioned {
		p.provisioned, p.initFails = spec.Provisioned, false
	}
	e.topUp(p)
}

// Provisioned tells how many of the sandboxes that a version should have are
// ready, and whether that has failed because the function doesn't initialize.
func (e *Engine) Provisioned(specID string) (ready int, initFails bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.pools[specID]
	if p == nil {
		return 0, false
	}
	return min(p.provisioned, len(p.idle)+len(p.busy)), p.initFails
}

// topUp starts the provisioned sandboxes that are missing, as many at a time as
// there are cores; e.mu is held.
func (e *Engine) topUp(p *pool) {
	for p.live < p.provisioned && p.topping < e.cores && !p.initFails && !p.retired && !e.closed {
		if e.live >= e.cfg.MaxSandboxes && !e.dropSpare() && !e.evictOldest() {
			return
		}
		p.topping++
		p.live++
		e.live++
		e.work.Add(1)
		go e.startProvisioned(p)
	}
}

func (e *Engine) startProvisioned(p *pool) {
	defer e.work.Done()
	i, err := e.launch(p, initProvisioned)
	e.mu.Lock()
	p.topping--
	if failed := err == nil && i.initFailure != nil; failed || err != nil {
		p.initFails = true // until the configuration changes
		e.forget(p, 1)
		e.mu.Unlock()
		if failed {
			e.end([]*instance{i})
		} else {
			e.cfg.Logger.Warn("provisioned concurrency can't be had", "function", p.spec.ARN, "version", p.spec.Version, "reason", err)
		}
		return
	}
	e.mu.Unlock()
	e.release(i, nil)
	e.mu.Lock()
	e.topUp(p)
	e.mu.Unlock()
}

// renewProvisioned replaces idle provisioned sandboxes that can't serve any
// more; e.mu is held. Their process has ended or their keys soon will.
func (e *Engine) renewProvisioned() {
	for _, p := range e.pools {
		if p.provisioned == 0 {
			continue
		}
		before := len(p.idle)
		p.idle = slices.DeleteFunc(p.idle, func(i *instance) bool {
			worn := i.worn()
			if worn {
				e.endLater(i)
			}
			return worn
		})
		e.forget(p, before-len(p.idle))
		e.topUp(p)
	}
}
