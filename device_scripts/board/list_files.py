"""What is in a directory, or a file itself: [path, is_dir, size_bytes] each."""


def _w_list_files(path, recursive):
    import os

    if not os.stat(path)[0] & 0x4000:
        return [[path, False, os.stat(path)[6]]]
    found = []
    waiting = [path]
    while waiting:
        folder = waiting.pop(0)
        for entry in os.ilistdir(folder):
            name = (folder if folder[-1:] == "/" else folder + "/") + entry[0]
            is_dir = entry[1] & 0x4000 != 0
            size = 0 if is_dir else entry[3] if len(entry) > 3 else os.stat(name)[6]
            found.append([name, is_dir, size])
            if is_dir and recursive:
                waiting.append(name)
    return found
