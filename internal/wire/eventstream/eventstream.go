// Package eventstream writes the messages of AWS's event stream encoding
// (application/vnd.amazon.eventstream), in which answers come piece by piece.
package eventstream

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"reflect"

	"github.com/butai-dev/butai/internal/wire"
	"github.com/butai-dev/butai/internal/wire/jsonbody"
)

// ContentType is the media type of the encoding.
const ContentType = "application/vnd.amazon.eventstream"

const (
	preludeSize = 12 // total length, headers' length, checksum
	crcSize     = 4
	textHeader  = 7 // type of a header whose value is text
)

// Write writes an event: a pointer to the union structure id, with one member
// set.
func Write(w io.Writer, s *wire.Schema, id wire.ShapeID, event any) error {
	shape := s.Shape(id)
	rv := reflect.ValueOf(event).Elem()
	for i := range shape.Members {
		if rv.Field(i).IsNil() {
			continue
		}
		m := &shape.Members[i]
		payload, contentType, err := payloadOf(s, m.Shape, rv.Field(i).Interface())
		if err != nil {
			return err
		}
		_, err = w.Write(message(payload, ":message-type", "event", ":event-type", m.Name, ":content-type", contentType))
		return err
	}
	return nil
}

// payloadOf is an event's blob if it has only that, and otherwise its JSON.
func payloadOf(s *wire.Schema, id wire.ShapeID, v any) (payload []byte, contentType string, err error) {
	shape := s.Shape(id)
	if len(shape.Members) == 1 && s.Shape(shape.Members[0].Shape).Kind == wire.Blob {
		return reflect.ValueOf(v).Elem().Field(0).Bytes(), "application/octet-stream", nil
	}
	payload, err = jsonbody.Encode(s, id, v)
	return payload, "application/json", err
}

// message frames a payload with headers, which are names and values in turn.
func message(payload []byte, headers ...string) []byte {
	var h []byte
	for i := 0; i < len(headers); i += 2 {
		h = append(append(h, byte(len(headers[i]))), headers[i]...)
		h = binary.BigEndian.AppendUint16(append(h, textHeader), uint16(len(headers[i+1])))
		h = append(h, headers[i+1]...)
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(preludeSize+len(h)+len(payload)+crcSize))
	b = binary.BigEndian.AppendUint32(b, uint32(len(h)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(append(b, h...), payload...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}
