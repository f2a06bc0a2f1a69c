// schema_registry_converter: register, encode by the latest version, decode by id.
use schema_registry_converter::blocking::avro::{AvroDecoder, AvroEncoder};
use schema_registry_converter::blocking::schema_registry::{
    get_all_subjects, get_all_versions, get_schema_by_id, post_schema, SrSettings,
};
use schema_registry_converter::schema_registry_common::{
    SchemaType, SubjectNameStrategy, SuppliedSchema,
};

fn main() {
    let url = std::env::args().nth(1).expect("the registry's URL");
    let settings = SrSettings::new(url);
    let text = r#"{"type":"record","name":"RustOrder","fields":[{"name":"beat","type":"long"}]}"#;
    let supplied = SuppliedSchema::new(
        Some(String::from("RustOrder")),
        SchemaType::Avro,
        String::from(text),
    );
    let made = post_schema(&settings, String::from("rust-order-value"), supplied).expect("registered");
    assert!(made.id > 0);
    let read = get_schema_by_id(made.id, &settings).expect("read by id");
    assert_eq!(read.schema, text);
    assert!(get_all_subjects(&settings).expect("subjects").contains(&String::from("rust-order-value")));
    assert_eq!(get_all_versions(&settings, String::from("rust-order-value")).expect("versions"), vec![1]);

    let strategy = SubjectNameStrategy::TopicNameStrategy(String::from("rust-order"), false);
    let encoder = AvroEncoder::new(settings.clone());
    let bytes = encoder
        .encode(vec![("beat", apache_avro::types::Value::Long(3))], &strategy)
        .expect("encoded");
    assert_eq!(u32::from_be_bytes(bytes[1..5].try_into().unwrap()), made.id);
    let decoded = AvroDecoder::new(settings.clone()).decode(Some(&bytes)).expect("decoded");
    assert!(format!("{:?}", decoded.value).contains("Long(3)"));

    let absent = SubjectNameStrategy::TopicNameStrategy(String::from("rust-absent"), false);
    let refused = AvroEncoder::new(settings)
        .encode(vec![("beat", apache_avro::types::Value::Long(3))], &absent)
        .expect_err("no such subject");
    assert!(!refused.retriable);
    println!("ok");
}
