def handler(event, context):
    kept = []
    while len(kept) < 2000:
        kept.append(bytearray(b"x" * (1 << 20)))
    return "got 2 GB"
