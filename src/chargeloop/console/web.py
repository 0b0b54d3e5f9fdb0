"""The web pages, built from web/ into the folder `pages` beside this file."""

from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles

PAGES = Path(__file__).parent / "pages"


def add_pages(app: FastAPI, pages: Path = PAGES) -> None:
    """Serve the console at / and the driver's page at /drive; without a build, say how to make one."""

    def page(name: str) -> Response:
        if not (pages / name).is_file():
            return PlainTextResponse("The pages are not built yet: run `make setup` in the checkout.\n", 503)
        return FileResponse(pages / name, headers={"Cache-Control": "no-cache"})

    @app.get("/", include_in_schema=False)
    async def console() -> Response:
        return page("index.html")

    @app.get("/drive", include_in_schema=False)
    async def drive() -> Response:
        return page("drive.html")

    if pages.is_dir():
        app.mount("/", StaticFiles(directory=pages))
