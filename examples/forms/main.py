def handler(event, context):
    """Gets a form's fields as a dict of strings, decoded by form.vtl."""
    return {"hello": event.get("name", "nobody"), "fields": event}
