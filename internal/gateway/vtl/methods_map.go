package vtl

import "github.com/butai-dev/butai/internal/gateway/value"

// mapMethods are those of java.util.Map.
var mapMethods = map[string]*methodDef{
	"size":    {0, 0, func(c callee, _ []Value) (Value, error) { return int64(c.dict().Len()), nil }},
	"isEmpty": {0, 0, func(c callee, _ []Value) (Value, error) { return c.dict().Len() == 0, nil }},
	"clear": {0, 0, func(c callee, _ []Value) (Value, error) {
		c.dict().Clear()
		return nil, nil
	}},
	"get": {1, 1, func(c callee, args []Value) (Value, error) {
		v, _, err := c.at(args[0])
		return v, err
	}},
	"getOrDefault": {2, 2, func(c callee, args []Value) (Value, error) {
		v, ok, err := c.at(args[0])
		if !ok {
			v = args[1]
		}
		return v, err
	}},
	"containsKey": {1, 1, func(c callee, args []Value) (Value, error) {
		_, ok, err := c.at(args[0])
		return ok, err
	}},
	"containsValue": {1, 1, mapContainsValue},
	"put":           {2, 2, mapPut},
	"putIfAbsent": {2, 2, func(c callee, args []Value) (Value, error) {
		if v, _, err := c.at(args[0]); v != nil || err != nil {
			return v, err
		}
		return mapPut(c, args)
	}},
	"putAll":   {1, 1, mapPutAll},
	"remove":   {1, 1, mapRemove},
	"keySet":   {0, 0, mapKeySet},
	"values":   {0, 0, func(c callee, _ []Value) (Value, error) { return value.NewList(mapValues(c.dict())...), c.walked() }},
	"entrySet": {0, 0, mapEntrySet},
}

func (c callee) dict() *value.Map { return c.recv.(*value.Map) }

// walked accounts for a walk over the map.
func (c callee) walked() error { return c.st.spend(c.dict().Len() / 4) }

// at is get with the key in its printed form.
func (c callee) at(key Value) (Value, bool, error) {
	k, err := c.st.text(key)
	if err != nil {
		return nil, false, err
	}
	v, ok := c.dict().Get(k)
	return v, ok, nil
}

func mapPut(c callee, args []Value) (Value, error) {
	k, err := c.st.text(args[0])
	if err != nil {
		return nil, err
	}
	if c.dict().Len() >= maxItems {
		return nil, errItems
	}
	return c.dict().Put(k, args[1]), nil
}

func mapPutAll(c callee, args []Value) (Value, error) {
	more, ok := args[0].(*value.Map)
	if s, isSource := args[0].(source); isSource {
		more, ok = s.toMap(), true
	}
	if !ok {
		return nil, nil
	}
	if c.dict().Len()+more.Len() > maxItems {
		return nil, errItems
	}
	for i := range more.Len() {
		e := more.At(i)
		c.dict().Put(e.Key, e.Value)
	}
	return nil, c.st.spend(more.Len())
}

func mapRemove(c callee, args []Value) (Value, error) {
	k, err := c.st.text(args[0])
	if err != nil {
		return nil, err
	}
	return c.dict().Remove(k), c.walked()
}

func mapContainsValue(c callee, args []Value) (Value, error) {
	for i := range c.dict().Len() {
		if javaEquals(c.dict().At(i).Value, args[0]) {
			return true, c.walked()
		}
	}
	return false, c.walked()
}

func mapKeySet(c callee, _ []Value) (Value, error) {
	items := make([]Value, c.dict().Len())
	for i := range items {
		items[i] = c.dict().At(i).Key
	}
	return value.NewList(items...), c.walked()
}

func mapEntrySet(c callee, _ []Value) (Value, error) {
	items := make([]Value, c.dict().Len())
	for i := range items {
		items[i] = &entry{key: c.dict().At(i).Key, of: c.dict()}
	}
	return value.NewList(items...), c.walked()
}
