package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// scopeTimeout is how long systemd may take to move this process.
const scopeTimeout = 5 * time.Second

// newScope has systemd move this process to a scope, a group whose subgroups
// are its own, and returns the group's path. root's scope is in the slice that
// root is in already, others' where their own systemd puts it.
func newScope() (own string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), scopeTimeout)
	defer cancel()
	conn, err := dialSystemd(ctx)
	if err != nil {
		return "", fmt.Errorf("systemd: %w", err)
	}
	defer conn.Close()
	unit := groupPrefix + strconv.Itoa(os.Getpid()) + ".scope"
	if err := startScope(ctx, conn, unit); err != nil {
		return "", fmt.Errorf("systemd: %w", err)
	}
	for { // the answer only says that it will be done
		if own, err := ownUnified(); err != nil || path.Base(own) == unit {
			return own, err
		}
		select {
		case <-ctx.Done():
			return "", errors.New("systemd: " + unit + " didn't start")
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// dialSystemd connects to the service manager of the machine or, without root,
// of the user. Both listen without a message bus as well.
func dialSystemd(ctx context.Context) (*dbus.Conn, error) {
	// In a container, the socket may be that of the host, which knows processes
	// by other numbers.
	if name, err := os.ReadFile("/proc/1/comm"); err != nil || strings.TrimSpace(string(name)) != "systemd" {
		return nil, errors.New("does not manage this machine")
	}
	socket, user := "/run/systemd/private", os.Geteuid()
	if user != 0 {
		socket = filepath.Join("/run/user", strconv.Itoa(user), "systemd/private")
	}
	raw, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	conn, err := dbus.NewConn(raw, dbus.WithContext(ctx))
	if err != nil {
		raw.Close()
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		err = raw.SetDeadline(deadline)
	}
	if err = errors.Join(err, conn.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(user))})); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// property and auxiliary are arguments of StartTransientUnit.
type property struct {
	Name  string
	Value dbus.Variant
}

type auxiliary struct {
	Name       string
	Properties []property
}

func startScope(ctx context.Context, conn *dbus.Conn, unit string) error {
	properties := []property{
		{"Description", dbus.MakeVariant("butai and the functions it runs")},
		{"PIDs", dbus.MakeVariant([]uint32{uint32(os.Getpid())})},
		{"Delegate", dbus.MakeVariant(true)},
		{"CollectMode", dbus.MakeVariant("inactive-or-failed")},
	}
	if own, err := ownUnified(); err == nil && os.Geteuid() == 0 {
		if slice := path.Base(path.Dir(own)); path.Ext(slice) == ".slice" {
			properties = append(properties, property{"Slice", dbus.MakeVariant(slice)})
		}
	}
	manager := conn.Object("org.freedesktop.systemd1", "/org/freedesktop/systemd1")
	return manager.CallWithContext(ctx, "org.freedesktop.systemd1.Manager.StartTransientUnit", 0, unit, "fail", properties, []auxiliary{}).Err
}

// ownUnified is the path of this process's group on version 2.
func ownUnified() (string, error) {
	data, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	return parseCgroups(string(data))[""], nil
}
