"""Prints the number of rows of each table, as lines of JSON.

Settings: WAREHOUSE
"""

import json
import os
from pathlib import Path

from pyiceberg.table import StaticTable


def version(file):
    return int(file.name.removeprefix("v").removesuffix(".metadata.json"))


for folder in sorted(Path(os.environ["WAREHOUSE"]).glob("*/*/metadata")):
    versions = sorted(folder.glob("v*.metadata.json"), key=version)
    if versions:
        table = StaticTable.from_metadata(str(versions[-1]))
        print(json.dumps({"table": folder.parent.name, "rows": table.scan().count()}))
