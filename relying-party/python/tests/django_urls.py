"""The routes of the tests' Django: checked by the middleware, or by the decorator where there is
none."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path

from servers import SERVED
from touchmark_attestation.django import check_touchmark_token, touchmark_exempt


@check_touchmark_token
def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse(SERVED)


@check_touchmark_token
async def later(request: HttpRequest) -> HttpResponse:
    return HttpResponse(SERVED)


@check_touchmark_token(level="tee", binding_headers=["Authorization"])
def strong(request: HttpRequest) -> HttpResponse:
    return HttpResponse(SERVED)


def plain(request: HttpRequest, number: int) -> HttpResponse:
    return HttpResponse(SERVED)


@touchmark_exempt
def open_to_all(request: HttpRequest) -> HttpResponse:
    return HttpResponse(SERVED)


urlpatterns: list[Any] = [
    path("", index),
    path("later", later),
    re_path(r"^v[12]/", index),
    re_path(r"^other", index),
    path("strong", strong),
    path("plain/<int:number>", plain),
    path("open", open_to_all),
]
