//! A small JPEG of a key frame, so that people find a recording by its picture.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder, RgbImage};
use openh264::decoder::Decoder;
use openh264::formats::YUVSource;

use crate::media::codec::Description;
use crate::media::h264;

/// Previews fit into a square of this side, in pixels.
const SIDE_MAX: u32 = 640;
const QUALITY: u8 = 80;
/// Larger pictures are not decoded: they would cost more memory than a preview is worth.
const PIXELS_MAX: u64 = 16 * 1024 * 1024;

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PreviewError {
    #[error("key frames of this codec are not decoded here")]
    Codec,
    #[error("the picture is too large or has no size")]
    Size,
    #[error("the key frame cannot be decoded")]
    H264(#[from] openh264::Error),
    #[error("the key frame cannot be decoded, or its picture not be written")]
    Image(#[from] image::ImageError),
}

/// A key frame with its description, as a JPEG.
pub(crate) fn preview(description: &Description, key_frame: &Bytes) -> Result<Vec<u8>, PreviewError> {
    let size = description.size().ok_or(PreviewError::Codec)?;
    let pixels = u64::from(size.width) * u64::from(size.height);
    if !(1..=PIXELS_MAX).contains(&pixels) {
        return Err(PreviewError::Size);
    }
    let picture = match description {
        Description::Vp8(_) => vp8(key_frame)?,
        Description::H264 { .. } => h264_picture(key_frame)?,
        _ => return Err(PreviewError::Codec),
    };
    let small = if picture.width().max(picture.height()) > SIDE_MAX {
        picture.thumbnail(SIDE_MAX, SIDE_MAX)
    } else {
        picture
    };
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&small.to_rgb8())?;
    Ok(jpeg)
}

/// A VP8 key frame is all that a lossy WebP has inside (RFC 9649, section 2.5).
fn vp8(key_frame: &Bytes) -> Result<DynamicImage, PreviewError> {
    let length = u32::try_from(key_frame.len()).map_err(|_| PreviewError::Size)?;
    let padded = length + length % 2;
    let mut webp = Vec::with_capacity(key_frame.len() + 21);
    webp.extend(b"RIFF");
    webp.extend((padded + 12).to_le_bytes());
    webp.extend(b"WEBPVP8 ");
    webp.extend(length.to_le_bytes());
    webp.extend_from_slice(key_frame);
    webp.resize(20 + padded as usize, 0);
    let decoder = image::codecs::webp::WebPDecoder::new(Cursor::new(webp))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(PreviewError::Size);
    }
    Ok(DynamicImage::from_decoder(decoder)?)
}

fn h264_picture(key_frame: &Bytes) -> Result<DynamicImage, PreviewError> {
    let mut annex_b = Vec::with_capacity(key_frame.len() + 16);
    for unit in h264::units(key_frame) {
        annex_b.extend([0, 0, 0, 1]);
        annex_b.extend_from_slice(unit);
    }
    let mut decoder = Decoder::new()?;
    let picture = decoder.decode(&annex_b)?.ok_or(PreviewError::Size)?;
    let (width, height) = picture.dimensions();
    let mut rgb = vec![0; picture.rgb8_len()];
    picture.write_rgb8(&mut rgb);
    let (Ok(width), Ok(height)) = (u32::try_from(width), u32::try_from(height)) else {
        return Err(PreviewError::Size);
    };
    RgbImage::from_raw(width, height, rgb).map(DynamicImage::ImageRgb8).ok_or(PreviewError::Size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::codec::Size;

    #[test]
    fn what_is_no_picture_gives_an_error() {
        let size = Size { width: 64, height: 64 };
        let noise = Bytes::from_static(&[0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 64, 0, 1, 2, 3]);
        assert!(preview(&Description::Vp8(size), &noise).is_err());
        let unit = Bytes::from_static(&[0, 0, 0, 2, 0x65, 1]);
        assert!(preview(&Description::H264 { size, sps: vec![], pps: vec![] }, &unit).is_err());
    }
}
