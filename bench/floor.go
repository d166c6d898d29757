package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

const floorPython = "python3.11"

// handlerCode is the handler of every subject: examples/user-api's without its
// table.
const handlerCode = `
def handler(event, context):
    if event["method"] != "GET":
        raise Exception("400: only GET")
    return {"id": event["id"], "name": "Ada", "stage": event["stage"]}
`

// loggingHandlerCode logs its event, as examples/user-api does.
const loggingHandlerCode = `
import logging
logging.getLogger().setLevel(logging.INFO)
` + `
def handler(event, context):
    logging.info(event)
    return {"id": event["id"], "name": "Ada", "stage": event["stage"]}
`

// floorLoop is the least that a Python process can do per call: read a frame,
// parse it, call the handler, write the answer.
const floorLoop = `
import json, os, struct
` + handlerCode + `
while True:
    data = os.read(3, 65536)
    if not data: break
    body = json.dumps(handler(json.loads(data[4:]), None)).encode()
    os.write(3, struct.pack(">I", len(body)) + body)
`

const floorEvent = `{"method": "GET", "stage": "production", "id": "ada"}`

// floor is a number of bare loops. Callers beyond that wait for a loop to come
// free.
type floor struct {
	loops chan *os.File
	pids  []int
	stop  []func() error
}

func startFloor(n int) (*floor, error) {
	f := &floor{loops: make(chan *os.File, n)}
	for range n {
		if err := f.start(); err != nil {
			return nil, errors.Join(err, f.close())
		}
	}
	return f, nil
}

func (f *floor) start() error {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	theirs := os.NewFile(uintptr(fds[1]), "floor")
	defer theirs.Close()
	if err := syscall.SetNonblock(fds[0], true); err != nil {
		return err
	}
	ours := os.NewFile(uintptr(fds[0]), "floor")
	cmd := exec.Command(floorPython, "-S", "-c", floorLoop)
	cmd.ExtraFiles, cmd.Stderr = []*os.File{theirs}, os.Stderr
	if err := cmd.Start(); err != nil {
		return errors.Join(err, ours.Close())
	}
	f.loops <- ours
	f.pids = append(f.pids, cmd.Process.Pid)
	f.stop = append(f.stop, func() error { return errors.Join(ours.Close(), cmd.Wait()) })
	return nil
}

func (f *floor) close() (err error) {
	for _, stop := range f.stop {
		err = errors.Join(err, stop())
	}
	return err
}

func (f *floor) processes() []int { return f.pids }

func (f *floor) connect() (caller, error) {
	frame := binary.BigEndian.AppendUint32(nil, uint32(len(floorEvent)))
	return &floorCaller{floor: f, frame: append(frame, floorEvent...), answer: make([]byte, 4096)}, nil
}

type floorCaller struct {
	floor         *floor
	frame, answer []byte
}

func (c *floorCaller) close() {}

func (c *floorCaller) call() error {
	loop := <-c.floor.loops
	defer func() { c.floor.loops <- loop }()
	if _, err := loop.Write(c.frame); err != nil {
		return err
	}
	n, err := loop.Read(c.answer)
	if err != nil {
		return err
	}
	if body := string(c.answer[min(4, n):n]); body != goodAnswer {
		return fmt.Errorf("the floor answered %q", body)
	}
	return nil
}

// goodAnswer is what a right call comes back with.
const goodAnswer = `{"id": "ada", "name": "Ada", "stage": "production"}`
