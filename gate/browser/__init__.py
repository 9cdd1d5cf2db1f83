"""Chrome in the image: its version and pin, and a page of the gate that it opens in the Lambda sandbox."""
