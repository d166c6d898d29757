package main

// SQS speaks JSON today, and its model no longer says how the query protocol
// spells it; the service still takes and gives these names (API Reference:
// the query examples of each action). All other shapes keep their members'
// names there.
const queueNamespace = "http://queue.amazonaws.com/doc/2012-11-05/"

// queueNames are the query names of members whose plain name is not it.
var queueNames = map[string]string{
	"AWSAccountIds":               "AWSAccountId",
	"Actions":                     "ActionName",
	"AttributeNames":              "AttributeName",
	"Attributes":                  "Attribute",
	"Failed":                      "BatchResultErrorEntry",
	"MessageAttributeNames":       "MessageAttributeName",
	"MessageAttributes":           "MessageAttribute",
	"MessageSystemAttributeNames": "MessageSystemAttributeName",
	"MessageSystemAttributes":     "MessageSystemAttribute",
	"Messages":                    "Message",
	"QueueUrls":                   "QueueUrl",
	"queueUrls":                   "QueueUrl",
	"TagKeys":                     "TagKey",
	"Tags":                        "Tag",
	"tags":                        "Tag",
}

// restoreQueryNames adds the names to SQS's facts. Maps spell their entries
// Name and Value there, except for tags; batches are named for their entries.
func (m *Model) restoreQueryNames() {
	m.Service.XMLNamespace = queueNamespace
	for name, s := range m.Shapes {
		if s.Type == "map" {
			s.Key.QueryName, s.Value.QueryName = "Name", "Value"
			if name == "TagMap" {
				s.Key.QueryName = "Key"
			}
		}
		for i := range s.Members {
			member := &s.Members[i]
			switch member.Name {
			case "Entries", "Successful":
				member.QueryName = m.Shapes[member.Shape].Element.Shape
			default:
				member.QueryName = queueNames[member.Name]
			}
		}
	}
}
