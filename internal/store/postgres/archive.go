package postgres

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/butai-dev/butai/internal/store"
)

// A backup is the magic line, then entries, then the end entry with the last
// feed position, then a checksum (CRC-32, big endian) of all before. An entry
// is its kind and, as far as the kind has them, name, position and data.
// Numbers are uvarints, byte strings have their length before them. All pairs
// come before all records.
const archiveMagic = "butai postgres backup 1\n"

// Kinds of entries.
const (
	pairEntry   = 'K' // name is the key, data the value
	recordEntry = 'F' // name is the feed
	endEntry    = 'E' // only position
)

var errDamaged = errors.New("the backup is damaged or cut short")

type entry struct {
	kind     byte
	name     []byte
	position uint64
	data     []byte
}

// archiveWriter writes entries.
type archiveWriter struct {
	out *bufio.Writer
	sum hash.Hash32
	buf []byte
	err error
}

func newArchiveWriter(w io.Writer) *archiveWriter {
	a := &archiveWriter{out: bufio.NewWriter(w), sum: crc32.NewIEEE()}
	a.bytes([]byte(archiveMagic))
	return a
}

// bytes writes b. After an error it does nothing.
func (a *archiveWriter) bytes(b []byte) {
	if a.err == nil {
		_, _ = a.sum.Write(b) // never fails
		_, a.err = a.out.Write(b)
	}
}

func (a *archiveWriter) write(e entry) error {
	a.buf = append(a.buf[:0], e.kind)
	if e.kind != endEntry {
		a.buf = append(binary.AppendUvarint(a.buf, uint64(len(e.name))), e.name...)
	}
	if e.kind != pairEntry {
		a.buf = binary.AppendUvarint(a.buf, e.position)
	}
	if e.kind != endEntry {
		a.buf = binary.AppendUvarint(a.buf, uint64(len(e.data)))
	}
	a.bytes(a.buf)
	a.bytes(e.data)
	return a.err
}

func (a *archiveWriter) finish(last uint64) error {
	if err := a.write(entry{kind: endEntry, position: last}); err != nil {
		return err
	}
	a.bytes(binary.BigEndian.AppendUint32(nil, a.sum.Sum32()))
	if a.err != nil {
		return a.err
	}
	return a.out.Flush()
}

// archiveReader reads entries with one entry of look-ahead.
type archiveReader struct {
	in     *bufio.Reader
	sum    hash.Hash32
	peeked *entry
}

func newArchiveReader(r *bufio.Reader) (*archiveReader, error) {
	a := &archiveReader{in: r, sum: crc32.NewIEEE()}
	magic, err := a.bytes(uint64(len(archiveMagic)), uint64(len(archiveMagic)))
	if err == nil && string(magic) != archiveMagic {
		err = errors.New("this is not a backup of a PostgreSQL store")
	}
	return a, err
}

// read returns the next entry if it is of the kind.
func (a *archiveReader) read(kind byte) (e entry, ok bool, err error) {
	if a.peeked == nil {
		e, err := a.parse()
		if err != nil {
			return entry{}, false, err
		}
		a.peeked = &e
	}
	if a.peeked.kind != kind {
		return entry{}, false, nil
	}
	e, a.peeked = *a.peeked, nil
	return e, true, nil
}

// finish reads the end and checks the sum.
func (a *archiveReader) finish() (last uint64, err error) {
	end, ok, err := a.read(endEntry)
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, errDamaged
	}
	want := a.sum.Sum32()
	sum, err := a.bytes(4, 4)
	if err != nil {
		return 0, err
	}
	if binary.BigEndian.Uint32(sum) != want {
		return 0, errDamaged
	}
	return end.position, nil
}

func (a *archiveReader) parse() (e entry, err error) {
	if e.kind, err = a.ReadByte(); err != nil {
		return e, damaged(err)
	}
	switch e.kind {
	case pairEntry, recordEntry:
		if e.name, err = a.sized(store.MaxKey); err != nil {
			return e, err
		}
		if e.kind == recordEntry {
			if e.position, err = a.uvarint(); err != nil {
				return e, err
			}
		}
		e.data, err = a.sized(store.MaxValue)
		return e, err
	case endEntry:
		e.position, err = a.uvarint()
		return e, err
	default:
		return e, errDamaged
	}
}

// ReadByte implements io.ByteReader, which reading a uvarint takes.
func (a *archiveReader) ReadByte() (byte, error) {
	b, err := a.in.ReadByte()
	if err == nil {
		_, _ = a.sum.Write([]byte{b}) // never fails
	}
	return b, err
}

func (a *archiveReader) uvarint() (uint64, error) {
	n, err := binary.ReadUvarint(a)
	return n, damaged(err)
}

// sized reads a byte string of at most limit bytes.
func (a *archiveReader) sized(limit uint64) ([]byte, error) {
	n, err := a.uvarint()
	if err != nil {
		return nil, err
	}
	return a.bytes(n, limit)
}

func (a *archiveReader) bytes(n, limit uint64) ([]byte, error) {
	if n > limit {
		return nil, errDamaged
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(a.in, b); err != nil {
		return nil, damaged(err)
	}
	_, _ = a.sum.Write(b) // never fails
	return b, nil
}

// damaged tells a backup that ends early from one that cannot be read.
func damaged(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errDamaged
	}
	if err != nil {
		return fmt.Errorf("read backup: %w", err)
	}
	return nil
}
